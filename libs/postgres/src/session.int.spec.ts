import { createTestDatabase, type TestDatabase, useStack } from '@shop/testing';
import { createDatabase, type Database } from './database';
import { SERVICE_SETTINGS } from './session';
import type { Statement } from './statement';

useStack();

let home: TestDatabase;
let database: Database;

beforeAll(async () => {
  home = await createTestDatabase();
  await withDatabase(async ({ dataSource }) => {
    await dataSource.query('create table public.thing (id int primary key)');
    await dataSource.query('insert into public.thing values (7)');
    // Where a hostile search path looks first.
    await dataSource.query('create schema elsewhere create table thing (id int primary key)');
  });
});
afterAll(() => home.drop());

/** Everything here is read or written by some statement of a service, in one way or another. */
const probe: Statement = {
  name: 'test.probe',
  text: String.raw`
    select timestamptz '2030-02-03 04:05:06.789Z' as at, jsonb_build_object('at', timestamptz '2030-02-03Z') as written,
           interval '26 hours 3 minutes' as span, '\xdeadbeef'::bytea as bytes, 'a\b' as backslash,
           0.1::float8 + 0.2::float8 as sum, $1::text[] as list, $2::timestamptz as sent,
           current_setting('transaction_isolation') as isolation, (select id from thing) as thing,
           'grün' as text, pg_sleep($3)::text as slept`,
};
/** A new connection needs some time itself, on a machine with other work. */
const LIMIT = '250ms';
const sent = new Date('2030-11-12T13:14:15.016Z');
const right = {
  at: new Date('2030-02-03T04:05:06.789Z'),
  written: { at: '2030-02-03T00:00:00+00:00' },
  span: { hours: 26, minutes: 3 },
  bytes: Buffer.from('deadbeef', 'hex'),
  backslash: 'a\\b',
  sum: 0.1 + 0.2,
  list: ['a', null],
  sent,
  isolation: 'read committed',
  thing: 7,
  text: 'grün',
  slept: '',
};

/** For each setting that a service relies on, a value that breaks it, or that it must not have. */
const hostile: [name: string, value: string][] = [
  ['client_encoding', 'LATIN1'],
  ['DateStyle', 'German'],
  ['IntervalStyle', 'iso_8601'],
  ['TimeZone', 'Asia/Kathmandu'],
  ['bytea_output', 'escape'],
  ['extra_float_digits', '-10'],
  ['array_nulls', 'off'],
  ['standard_conforming_strings', 'off'],
  ['search_path', 'elsewhere'],
  ['default_transaction_isolation', 'serializable'],
  ['synchronous_commit', 'off'],
  ['transaction_timeout', LIMIT],
  ['idle_session_timeout', LIMIT],
  ['plan_cache_mode', 'force_custom_plan'],
  ['enable_seqscan', 'on'],
  ['enable_hashjoin', 'on'],
  ['enable_mergejoin', 'on'],
  ['enable_nestloop', 'off'],
  ['enable_indexscan', 'off'],
  ['enable_indexonlyscan', 'off'],
  ['enable_bitmapscan', 'on'],
  ['jit', 'on'],
  ['lock_timeout', LIMIT],
  ['statement_timeout', LIMIT],
  ['idle_in_transaction_session_timeout', LIMIT],
];

/** The limits that a slow statement meets. */
const limits = ['statement_timeout', 'transaction_timeout'];

describe('a database with another value for', () => {
  it.each(hostile)(
    '%s (%s) reads and writes as any other, in our statements and in those of TypeORM',
    async (...row) => {
      const [name] = row;
      await withSetting(row, async () => {
        const setting = { name: 'test.setting', text: `select current_setting('${name}') as value` };
        expect(await database.query(setting)).toEqual([{ value: SERVICE_SETTINGS[name] }]);
        const values = [['a', null], sent, limits.includes(name) ? 0.3 : 0];
        expect(await database.query(probe, values)).toMatchObject([right]);
        expect(await database.dataSource.query(probe.text, values)).toMatchObject([right]);
      });
    },
  );

  it('each setting is in this list', () => {
    expect(hostile.map(([name]) => name)).toEqual(Object.keys(SERVICE_SETTINGS));
  });
});

it('a commit that promises more than ours keeps its promise', async () => {
  await withSetting(['synchronous_commit', 'remote_apply'], async () => {
    const setting = { name: 'test.setting', text: `select current_setting('synchronous_commit') as value` };
    expect(await database.query(setting)).toEqual([{ value: 'remote_apply' }]);
  });
});

it('a database that was made read-only by an operator, or for a failover, is not written', async () => {
  await withSetting(['default_transaction_read_only', 'on'], async () => {
    const insert = { name: 'test.insert', text: 'insert into thing values (8)' };
    await expect(database.query(insert)).rejects.toMatchObject({ code: '25006' });
    expect(await database.query(probe, [['a', null], sent, 0])).toMatchObject([right]);
  });
});

/** Runs `work` on `database`, whose connections are made with this value. */
async function withSetting([name, value]: [name: string, value: string], work: () => Promise<void>): Promise<void> {
  // A search path is a list of names, so it is no text.
  const to = name === 'search_path' ? value : `'${value}'`;
  await onServer(`set ${name} = ${to}`);
  try {
    await withDatabase(async (opened) => {
      database = opened;
      await work();
    });
  } finally {
    await onServer(`reset ${name}`);
  }
}

async function onServer(change: string): Promise<void> {
  await withDatabase(({ dataSource }) => dataSource.query(`alter database "${home.name}" ${change}`), {
    default_transaction_read_only: 'off',
  });
}

async function withDatabase(work: (opened: Database) => Promise<unknown>, session = {}): Promise<void> {
  const opened = createDatabase({ url: home.url, applicationName: 'test', session });
  await opened.connect();
  try {
    await work(opened);
  } finally {
    await opened.close();
  }
}
