import { createTestDatabase, type TestDatabase, useStack } from '@shop/testing';
import { queryBySummary } from './by-summary';
import { createDatabase, type Database } from './database';
import type { Statement } from './statement';

useStack();

let home: TestDatabase;
let database: Database;

beforeAll(async () => {
  home = await createTestDatabase();
  database = createDatabase({ applicationName: 'test', url: home.url });
  await database.connect();
  const run = (text: string) => database.dataSource.query(text);
  await run('create table thing (id int primary key, name text)');
  await run(`insert into thing select n, 'name ' || n from generate_series(1, 20000) n`);
  await run('create index thing_name on thing using brin (name text_bloom_ops)');
  await run('analyze thing');
});
afterAll(async () => {
  await database.close();
  await home.drop();
});

const explained: Statement = { name: 'test.explain', text: `explain select id from thing where name = 'name 7'` };
const setting: Statement = { name: 'test.setting', text: `select current_setting('enable_bitmapscan') as is` };
const planOf = (rows: readonly object[]) => rows.map((row) => Object.values(row).join()).join('\n');

it('R49 goes by a summary of the table, where a statement by itself would read all of it', async () => {
  expect(planOf(await database.query(explained))).toContain('Seq Scan on thing');
  expect(planOf(await queryBySummary(database, explained))).toContain('Bitmap Index Scan on thing_name');
});

it('R49 leaves the session as it was', async () => {
  expect(await queryBySummary(database, setting)).toEqual([{ is: 'on' }]);
  expect(await database.query(setting)).toEqual([{ is: 'off' }]);
});
