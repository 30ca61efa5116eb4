// Tests that a test file gets a database of its own, copies of a template, and NATS.
import { connect } from '@nats-io/transport-node';
import { asAdmin } from './admin';
import { testStack, useStack } from './stack';
import { createTestDatabase } from './test-database';

let migrations = 0;
async function migrate(url: string): Promise<void> {
  migrations += 1;
  await asAdmin(url, (client) => client.query('create table thing as select 1 as n'));
}
const read = async (url: string, sql: string): Promise<unknown[]> =>
  asAdmin(url, async (client) => (await client.query({ text: sql, rowMode: 'array' })).rows.flat());

const stack = useStack({ migrate });

test('the database is migrated and named after the file', async () => {
  expect(await read(stack.databaseUrl, 'select n from thing')).toEqual([1]);
  expect(stack.databaseName).toMatch(/^test_stack_[0-9a-f]{8}_[0-9a-f]{8}$/);
});

test('both servers are the same for all test files', async () => {
  expect(await testStack()).toEqual({ adminUrl: stack.adminUrl, natsUrl: stack.natsUrl });
  const connection = await connect({ servers: stack.natsUrl });
  await connection.flush();
  await connection.close();
});

test('databases with one template key are migrated once and share nothing', async () => {
  migrations = 0;
  const make = () => createTestDatabase(migrate, { templateKey: 'things' });
  const [first, second, third] = await Promise.all([make(), make(), make()]);
  expect(migrations).toBe(1);
  await read(first.url, 'insert into thing values (2)');
  expect(await read(first.url, 'select n from thing order by n')).toEqual([1, 2]);
  expect(await read(second.url, 'select n from thing')).toEqual([1]);
  await Promise.all([first.drop(), second.drop(), third.drop()]);
  const left = await read(stack.adminUrl, `select datname::text from pg_database where datname = '${first.name}'`);
  expect(left).toEqual([]);
});

test('a template whose migration fails is not copied', async () => {
  const options = { templateKey: 'broken at first' };
  const failing = createTestDatabase(async () => Promise.reject(new Error('bad migration')), options);
  await expect(failing).rejects.toThrow('bad migration');
  const database = await createTestDatabase(migrate, options);
  expect(await read(database.url, 'select n from thing')).toEqual([1]);
  await database.drop();
});
