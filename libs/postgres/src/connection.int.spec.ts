import { createTestDatabase, startTcpProxy, type TcpProxy, type TestDatabase } from '@shop/testing';
import { Client } from 'pg';
import { createDatabase, type Database } from './database';
import { DatabaseAwayError, faultOf } from './pg-errors';
import type { Statement } from './statement';
import type { Tx } from './transaction';

/** Short, so that the tests do not wait. A silent connection is noticed by this limit only. */
const ANSWER_WITHIN_MS = 300;
const POOL_SIZE = 3;

const pid: Statement = { name: 'test.pid', text: 'select pg_backend_pid() as pid' };
const create: Statement = { name: 'test.create', text: 'create table thing (id int primary key, size int)' };
const insert: Statement = { name: 'test.insert', text: 'insert into thing values ($1, 1)' };
const read: Statement = { name: 'test.read', text: 'select size from thing where id = $1' };
const sleep: Statement = { name: 'test.sleep', text: 'select pg_sleep(60)' };

let target: TestDatabase;
let proxy: TcpProxy;
let database: Database;
let admin: Client;

beforeAll(async () => {
  target = await createTestDatabase();
  admin = new Client({ connectionString: target.url });
  await admin.connect();
  await admin.query(create.text);
  await admin.query(insert.text, [1]);
});
afterAll(async () => {
  await admin.end();
  await target.drop();
});
beforeEach(async () => {
  const url = new URL(target.url);
  proxy = await startTcpProxy(url.hostname, Number(url.port));
  url.port = `${proxy.port}`;
  database = createDatabase({
    url: url.href,
    applicationName: 'test',
    poolSize: POOL_SIZE,
    answerWithinMs: ANSWER_WITHIN_MS,
  });
  await database.connect();
});
afterEach(async () => {
  await proxy.close();
  await database.close();
});

const pidOf = async () => (await database.query<{ pid: number }>(pid))[0]!.pid;
const failureOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => 'no failure',
    (error: unknown) => error,
  );

/** Opens all connections of the pool, and has each of them know the statement. */
async function openAll(statement: Statement = pid, values: unknown[] = []): Promise<void> {
  let arrived = 0;
  let open!: () => void;
  const all = new Promise<void>((resolve) => (open = resolve));
  await Promise.all(
    Array.from({ length: POOL_SIZE }, () =>
      database.transaction(async (tx: Tx) => {
        await tx.query(statement, values);
        if (++arrived === POOL_SIZE) open();
        await all;
      }),
    ),
  );
  expect(database.connections.size).toBe(POOL_SIZE);
}

describe('R44 a connection that is bad but not closed', () => {
  it.each<[string, () => Promise<unknown>]>([
    ['a statement', () => database.query(pid)],
    ['a transaction', () => database.transaction((tx) => tx.query(pid))],
    ['a query of TypeORM', () => database.dataSource.query('select 1')],
    ['a transaction of TypeORM', () => database.dataSource.transaction((manager) => manager.query('select 1'))],
  ])('R44 %s on a silent connection fails in time, and the connection is given up', async (_, work) => {
    const told: number[] = [];
    database.connections.onSilence = (afterMs) => told.push(afterMs);
    proxy.stall();
    expect(faultOf(await failureOf(work()))).toBe('away');
    expect(told).toEqual([ANSWER_WITHIN_MS]);
    proxy.resume();
    expect(await pidOf()).toEqual(expect.any(Number));
  });

  it('R44 when one has gone silent, the idle ones are not tried one after the other', async () => {
    await openAll();
    // The firewall has forgotten these connections. New ones go through.
    proxy.stallOpen();
    expect(await failureOf(database.query(pid))).toBeInstanceOf(DatabaseAwayError);
    expect(await pidOf()).toEqual(expect.any(Number));
  });

  it('R44 a server that does not answer new connections either fails in time', async () => {
    await openAll();
    proxy.stall();
    await failureOf(database.query(pid));
    expect(faultOf(await failureOf(database.query(pid)))).toBe('away');
  });

  it('R44 an answer that came while this process was held up counts', async () => {
    const before = await pidOf();
    const asked = database.query<{ pid: number }>(pid);
    await new Promise((resolve) => process.nextTick(resolve));
    const until = performance.now() + 2 * ANSWER_WITHIN_MS;
    while (performance.now() < until);
    expect((await asked)[0]!.pid).toBe(before);
  });

  it('R44 a statement that runs too long is given up with its connection', async () => {
    expect(await failureOf(database.query(sleep))).toBeInstanceOf(DatabaseAwayError);
    expect(await pidOf()).toEqual(expect.any(Number));
  });
});

describe('R44 a session that is of no use any more', () => {
  /** Pool sessions read it at their start only, so the old ones keep it. */
  const setReadOnly = (value: 'on' | 'off') =>
    admin.query(`alter database "${target.name}" set default_transaction_read_only = ${value}`);

  it('R44 a plan that does not fit its table any more costs nobody anything', async () => {
    await openAll(read, [1]);
    await admin.query('alter table thing alter column size type bigint');
    const answers = await Promise.all(Array.from({ length: 20 }, () => database.query(read, [1])));
    expect(answers).toEqual(Array(20).fill([{ size: 1 }]));
    await admin.query('alter table thing alter column size type int');
    expect(await database.transaction((tx) => tx.query(read, [1]))).toEqual([{ size: 1 }]);
  });

  it('R44 statements that the server has forgotten are prepared again', async () => {
    await openAll(read, [1]);
    await database.transaction(async (tx) => void (await tx.query({ name: 'test.forget', text: 'deallocate all' })));
    expect(await database.query(read, [1])).toEqual([{ size: 1 }]);
    expect(await database.transaction((tx) => tx.query(read, [1]))).toEqual([{ size: 1 }]);
  });

  it('R44 sessions that only read are left behind when the server writes again', async () => {
    await setReadOnly('on');
    await database.close();
    database = createDatabase({ url: target.url, applicationName: 'test', poolSize: POOL_SIZE });
    await database.connect();
    await openAll();
    await setReadOnly('off');
    await database.query(insert, [2]);
    await database.transaction(async (tx) => tx.send(insert, [3]));
  });

  it('R44 a server that only reads is told as it is, and not as the fault of the request', async () => {
    await openAll();
    await setReadOnly('on');
    try {
      database.connections.retireAll();
      expect(faultOf(await failureOf(database.query(insert, [4])))).toBe('session');
    } finally {
      await setReadOnly('off');
    }
    await database.query(insert, [4]);
  });

  it.each([
    ['a statement of the request', { name: 'test.bad', text: `select 'x'::text::int` }, true],
    ['a code that nobody knows', { name: 'test.odd', text: 'select no_such_function()' }, false],
  ])('R44 after %s fails, the connection stays only if it is known to be good', async (_, statement, stays) => {
    const before = await pidOf();
    expect(await failureOf(database.query(statement))).toMatchObject({ code: expect.any(String) as string });
    expect((await pidOf()) === before).toBe(stays);
  });

  it('R44 a connection never comes back with its transaction open', async () => {
    const before = await pidOf();
    await database.query({ name: 'test.begin', text: 'begin' });
    expect(await pidOf()).not.toBe(before);
  });

  it('R44 a connection whose rollback fails does not come back', async () => {
    const work = database.transaction(async (tx) => {
      await tx.query(pid);
      proxy.mute();
      throw new Error('of the work');
    });
    expect(await failureOf(work)).toEqual(new Error('of the work'));
    proxy.resume();
    expect(await pidOf()).toEqual(expect.any(Number));
  });
});
