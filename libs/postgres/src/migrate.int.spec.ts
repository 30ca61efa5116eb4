import { createTestDatabase, type TestDatabase, useStack } from '@shop/testing';
import type { MigrationInterface, QueryRunner } from 'typeorm';
import { createDatabase, type Database } from './database';
import { migrate } from './migrate';

class CreateShelf1700000000001 implements MigrationInterface {
  name = 'CreateShelf1700000000001';
  async up(runner: QueryRunner): Promise<void> {
    // The migration is slow enough that replicas which start together meet in it.
    await runner.query('select pg_sleep(0.1)');
    await runner.query('create table shelf (id int primary key)');
  }
  async down(): Promise<void> {}
}

class FillShelf1700000000002 implements MigrationInterface {
  name = 'FillShelf1700000000002';
  static works = true;
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('insert into shelf values (1)');
    if (!FillShelf1700000000002.works) await runner.query('select 1 / 0');
  }
  async down(): Promise<void> {}
}

useStack();

let home: TestDatabase;
let replicas: Database[];

beforeEach(async () => {
  home = await createTestDatabase();
  replicas = [1, 2, 3].map((replica) =>
    createDatabase({
      url: home.url,
      applicationName: `replica ${replica}`,
      migrations: [CreateShelf1700000000001, FillShelf1700000000002],
    }),
  );
});
afterEach(async () => {
  FillShelf1700000000002.works = true;
  jest.restoreAllMocks();
  await Promise.all(replicas.map((replica) => replica.close()));
  await home.drop();
});

const shelf = () => replicas[0]!.query({ name: 'test.shelf', text: 'select id from shelf' });
const openTransactions = {
  name: 'test.open',
  text: `select count(*) as open from pg_stat_activity
         where datname = current_database() and xact_start is not null and pid <> pg_backend_pid()`,
};

it('R53 replicas that start together migrate once, and all of them find the newest schema', async () => {
  const done = await Promise.all(replicas.map(migrate));
  expect(done.map((names) => names.length).sort()).toEqual([0, 0, 2]);
  expect(done.flat()).toEqual(['CreateShelf1700000000001', 'FillShelf1700000000002']);
  for (const replica of replicas) expect(await migrate(replica)).toEqual([]);
  expect(await shelf()).toEqual([{ id: 1 }]);
});

it('a migration that fails leaves nothing behind, and the next start goes through', async () => {
  FillShelf1700000000002.works = false;
  // TypeORM also writes the failure to the console.
  jest.spyOn(console, 'log').mockImplementation();
  const failed = await Promise.allSettled(replicas.map(migrate));
  expect(failed.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
  await expect(shelf()).rejects.toThrow('does not exist');
  FillShelf1700000000002.works = true;
  await Promise.all(replicas.map(migrate));
  expect(await shelf()).toEqual([{ id: 1 }]);
});

it('a migration keeps neither its lock nor a transaction when it is done', async () => {
  await migrate(replicas[0]!);
  expect(await replicas[0]!.query(openTransactions)).toEqual([{ open: 0 }]);
});
