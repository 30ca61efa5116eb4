import { createTestDatabase, eventually, type TestDatabase, useStack } from '@shop/testing';
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

/** Keeps what it sees of its own session. */
class LookAround1700000000003 implements MigrationInterface {
  name = 'LookAround1700000000003';
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('create table seen as select name, setting from pg_settings');
  }
  async down(): Promise<void> {}
}

class WidenShelf1700000000004 implements MigrationInterface {
  name = 'WidenShelf1700000000004';
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('alter table shelf add column width int');
  }
  async down(): Promise<void> {}
}

useStack();

let home: TestDatabase;
let replicas: Database[];

beforeEach(async () => {
  home = await createTestDatabase();
  replicas = ['replica 1', 'replica 2', 'replica 3'].map((name) => replicaWith([], name));
});
afterEach(async () => {
  FillShelf1700000000002.works = true;
  jest.restoreAllMocks();
  await Promise.all(replicas.map((replica) => replica.close()));
  await home.drop();
});

function replicaWith(newMigrations: Function[], applicationName = 'replica'): Database {
  const migrations = [CreateShelf1700000000001, FillShelf1700000000002, ...newMigrations];
  return createDatabase({ url: home.url, applicationName, migrations });
}

const shelf = () => replicas[0]!.query({ name: 'test.shelf', text: 'select id from shelf' });
const openTransactions = {
  name: 'test.open',
  text: `select count(*) as open from pg_stat_activity
         where datname = current_database() and xact_start is not null and pid <> pg_backend_pid()`,
};

it('R53 replicas that start together migrate once, and all of them find the newest schema', async () => {
  const done = await Promise.all(replicas.map((replica) => migrate(replica)));
  expect(done.map((names) => names.length).sort()).toEqual([0, 0, 2]);
  expect(done.flat()).toEqual(['CreateShelf1700000000001', 'FillShelf1700000000002']);
  for (const replica of replicas) expect(await migrate(replica)).toEqual([]);
  expect(await shelf()).toEqual([{ id: 1 }]);
});

it('a migration that fails leaves nothing behind, and the next start goes through', async () => {
  FillShelf1700000000002.works = false;
  // TypeORM also writes the failure to the console.
  jest.spyOn(console, 'log').mockImplementation();
  const failed = await Promise.allSettled(replicas.map((replica) => migrate(replica)));
  expect(failed.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
  await replicas[0]!.connect();
  await expect(shelf()).rejects.toThrow('does not exist');
  FillShelf1700000000002.works = true;
  await Promise.all(replicas.map((replica) => migrate(replica)));
  expect(await shelf()).toEqual([{ id: 1 }]);
});

it('a migration keeps neither its lock nor a transaction when it is done', async () => {
  await migrate(replicas[0]!);
  expect(await replicas[0]!.query(openTransactions)).toEqual([{ open: 0 }]);
});

describe('the session of a migration', () => {
  it('has no limit of time, and the planner of the database', async () => {
    await migrate(replicas[0]!);
    await replicas[0]!.dataSource.query(`alter database "${home.name}" set enable_hashjoin = off`);
    await replicas[0]!.dataSource.query(`alter database "${home.name}" set statement_timeout = '250ms'`);
    replicas.push(replicaWith([LookAround1700000000003]));
    await migrate(replicas.at(-1)!);
    const seen = await replicas[0]!.dataSource.query<{ name: string; setting: string }[]>('select * from seen');
    expect(Object.fromEntries(seen.map(({ name, setting }) => [name, setting]))).toMatchObject({
      statement_timeout: '0',
      transaction_timeout: '0',
      idle_in_transaction_session_timeout: '0',
      lock_timeout: '2000',
      plan_cache_mode: 'auto',
      enable_seqscan: 'on',
      enable_hashjoin: 'off',
      enable_mergejoin: 'on',
      DateStyle: 'ISO, MDY',
      search_path: 'public, pg_temp',
    });
  });

  it('ends with the migration, and the service has its own settings', async () => {
    await migrate(replicas[0]!);
    const [limits] = await replicas[0]!.query({
      name: 'test.limits',
      text: `select current_setting('statement_timeout') as statement, current_setting('enable_seqscan') as scan,
             (select count(*) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()) as others`,
    });
    expect(limits).toEqual({ statement: '4500ms', scan: 'off', others: 0 });
  });
});

describe('a migration that waits for a table', () => {
  const waiting = {
    name: 'test.waiting',
    text: `select count(*) as waiting from pg_locks where not granted and relation = 'shelf'::regclass`,
  };
  let reader: Database;
  let migrating: Promise<string[]>;

  /** Somebody reads the table in a transaction that stays open while `work` runs. */
  async function whileSomebodyReads(work: () => Promise<void>): Promise<void> {
    await reader.transaction(async (tx) => {
      await tx.query({ name: 'test.hold', text: 'select id from shelf' });
      await tx.query({ name: 'test.stay', text: 'set local idle_in_transaction_session_timeout = 0' });
      await work();
    });
  }

  beforeEach(async () => {
    jest.spyOn(console, 'log').mockImplementation();
    reader = replicas[0]!;
    await migrate(reader);
    replicas.push(replicaWith([WidenShelf1700000000004]));
  });

  it('lets those behind it through, and goes on when the table is free', async () => {
    await whileSomebodyReads(async () => {
      migrating = migrate(replicas.at(-1)!);
      await eventually(async () => expect(await reader.query(waiting)).toEqual([{ waiting: 1 }]));
      // This reader comes behind the migration. A service gives up after its own wait for a lock.
      expect(await shelf()).toEqual([{ id: 1 }]);
    });
    expect(await migrating).toEqual(['WidenShelf1700000000004']);
  });

  it('gives up with a sentence after some attempts, and keeps nothing', async () => {
    replicas.push(replicaWith([LookAround1700000000003, WidenShelf1700000000004]));
    await whileSomebodyReads(async () => {
      await expect(migrate(replicas.at(-1)!, { attempts: 2, pauseMs: 0 })).rejects.toThrow(
        'the migrations got no lock on a table in 2 attempts',
      );
    });
    await expect(reader.dataSource.query('select * from seen')).rejects.toThrow('does not exist');
    expect(await reader.query(openTransactions)).toEqual([{ open: 0 }]);
  });
});
