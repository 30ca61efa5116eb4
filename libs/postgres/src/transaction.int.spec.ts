import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { createTestDatabase, useStack } from '@shop/testing';
import { createDatabase, type Database } from './database';
import { isPassing, isLockTimeout, isSerializationFailure, isUniqueViolation } from './pg-errors';
import type { Statement } from './statement';
import type { Tx } from './transaction';

const stack = useStack();

const createTable: Statement = { name: 'test.create', text: 'create table account (id text primary key, cents int)' };
const insert: Statement = { name: 'test.insert', text: 'insert into account values ($1, $2)' };
const add: Statement = { name: 'test.add', text: 'update account set cents = cents + $2 where id = $1' };
const read: Statement = { name: 'test.read', text: 'select cents from account where id = $1' };
const readAll: Statement = { name: 'test.read-all', text: 'select id from account order by id' };
const lock: Statement = { name: 'test.lock', text: 'select cents from account where id = $1 for update' };
const truncate: Statement = { name: 'test.truncate', text: 'truncate account, late' };
const suicide: Statement = { name: 'test.suicide', text: 'select pg_terminate_backend(pg_backend_pid())' };
/** The deferred key of this table is checked only by the commit. */
const createLateTable: Statement = {
  name: 'test.create-late',
  text: 'create table late (id text unique deferrable initially deferred)',
};
const insertLate: Statement = { name: 'test.insert-late', text: 'insert into late values ($1), ($1)' };

let database: Database;

/** There is only one connection, so the next transaction meets everything that a transaction leaves behind. */
const onOneConnection = () => createDatabase({ url: stack.databaseUrl, applicationName: 'test', poolSize: 1 });

beforeAll(async () => {
  database = createDatabase({ url: stack.databaseUrl, applicationName: 'test' });
  await database.connect();
  await database.query(createTable);
  await database.query(createLateTable);
});
afterEach(() => database.query(truncate));
afterAll(() => database.close());

const balance = async (id: string) => (await database.query<{ cents: number }>(read, [id]))[0]?.cents;
const ids = async () => (await database.query<{ id: string }>(readAll)).map(({ id }) => id);

/** A promise that a test settles when two transactions have reached a certain point. */
function meeting(): { reached: Promise<void>; reach: () => void } {
  let reach!: () => void;
  const reached = new Promise<void>((resolve) => (reach = resolve));
  return { reached, reach };
}

describe('a transaction', () => {
  it('commits what it sent, and answers what its work answered', async () => {
    const answer = await database.transaction(async (tx) => {
      tx.send(insert, ['ada', 100]);
      return (await tx.query<{ cents: number }>(read, ['ada']))[0]!.cents;
    });
    expect(answer).toBe(100);
    expect(await balance('ada')).toBe(100);
  });

  it('is rolled back when its work throws, with the error that was thrown', async () => {
    const thrown = new Error('changed my mind');
    const work = database.transaction(async (tx) => {
      await tx.query(insert, ['ada', 100]);
      throw thrown;
    });
    await expect(work).rejects.toBe(thrown);
    expect(await ids()).toEqual([]);
  });

  it('fails and is rolled back when a statement that was only sent fails, though the commit travelled behind it', async () => {
    await database.query(insert, ['ada', 100]);
    const work = database.transaction(async (tx) => {
      tx.send(insert, ['bob', 1]);
      tx.send(insert, ['ada', 1]);
      tx.send(insert, ['eve', 1]);
      return 'committed';
    });
    const error: unknown = await work.catch((reason: unknown) => reason);
    expect(isUniqueViolation(error, 'account_pkey')).toBe(true);
    expect(await ids()).toEqual(['ada']);
  });

  it('fails with the cause, not with what the cause did to the statements behind it', async () => {
    await database.query(insert, ['ada', 100]);
    const work = database.transaction(async (tx) => {
      tx.send(insert, ['ada', 1]);
      return tx.query(read, ['ada']);
    });
    const error: unknown = await work.catch((reason: unknown) => reason);
    expect(isUniqueViolation(error, 'account_pkey')).toBe(true);
  });

  it('is never reported as committed when PostgreSQL has rolled it back', async () => {
    await database.query(insert, ['ada', 100]);
    const work = database.transaction(async (tx) => {
      tx.send(insert, ['bob', 1]);
      await tx.query(insert, ['ada', 1]).catch(() => undefined);
      return 'committed';
    });
    await expect(work).rejects.toMatchObject({ constraint: 'account_pkey' });
    expect(await ids()).toEqual(['ada']);
  });

  it('keeps the error that its work made of a failed statement', async () => {
    await database.query(insert, ['ada', 100]);
    const work = database.transaction((tx) =>
      tx.query(insert, ['ada', 1]).catch((cause: unknown) => {
        throw new Error('ada is taken', { cause });
      }),
    );
    await expect(work).rejects.toThrow('ada is taken');
  });

  it.each(['query', 'send'] as const)('leaves a usable connection behind when a %s has failed', async (way) => {
    const single = onOneConnection();
    await single.connect();
    try {
      const work = single.transaction(async (tx) => {
        tx.send(insert, ['ada', 1]);
        await tx[way](insert, ['ada', 1]);
      });
      await expect(work).rejects.toMatchObject({ constraint: 'account_pkey' });
      await single.transaction(async (tx) => tx.send(insert, ['bob', 1]));
      expect(await ids()).toEqual(['bob']);
    } finally {
      await single.close();
    }
  });

  it('fails as a connection failure when its connection is cut, and the next one works', async () => {
    const single = onOneConnection();
    await single.connect();
    try {
      const work = single.transaction(async (tx) => {
        tx.send(insert, ['ada', 1]);
        await tx.query(suicide);
      });
      const error: unknown = await work.catch((reason: unknown) => reason);
      expect(isPassing(error)).toBe(true);
      await single.transaction(async (tx) => tx.send(insert, ['bob', 1]));
      expect(await ids()).toEqual(['bob']);
    } finally {
      await single.close();
    }
  });

  it('waits for a locked row no longer than it may, and says so', async () => {
    await database.query(insert, ['ada', 1]);
    const held = meeting();
    const over = meeting();
    const holder = database.transaction(async (tx) => {
      await tx.query(lock, ['ada']);
      held.reach();
      await over.reached;
    });
    await held.reached;
    const waiter = database.transaction(async (tx) => {
      tx.send({ name: 'test.impatient', text: `set local lock_timeout = '20ms'` });
      await tx.query(lock, ['ada']);
    });
    const error: unknown = await waiter.catch((reason: unknown) => reason);
    expect(isLockTimeout(error)).toBe(true);
    over.reach();
    await holder;
  });
});

describe('R11 what a transaction wants done after its commit', () => {
  it('R11 is done once, in the order in which it was asked for, and when others see the commit', async () => {
    const done: string[] = [];
    const seen: Promise<number | undefined>[] = [];
    await database.transaction(async (tx) => {
      tx.afterCommit(() => {
        done.push('first');
        seen.push(balance('ada'));
      });
      tx.send(insert, ['ada', 100]);
      await tx.query(read, ['ada']);
      tx.afterCommit(() => done.push('second'));
      expect(await balance('ada')).toBeUndefined();
      expect(done).toEqual([]);
      tx.afterCommit(() => done.push('third'));
    });
    expect(done).toEqual(['first', 'second', 'third']);
    expect(await Promise.all(seen)).toEqual([100]);
  });

  it('R11 is done before whoever waits for the transaction goes on', async () => {
    const done: string[] = [];
    await database.transaction(async (tx) => tx.afterCommit(() => done.push('act'))).then(() => done.push('caller'));
    expect(done).toEqual(['act', 'caller']);
  });

  it.each<[string, (tx: Tx) => Promise<unknown>]>([
    ['its work throws', () => Promise.reject(new Error('changed my mind'))],
    ['a statement fails that was only sent', async (tx) => tx.send(insert, ['ada', 1])],
    ['a statement fails and its work looks away', (tx) => tx.query(insert, ['ada', 1]).catch(() => undefined)],
    [
      'the commit itself fails',
      async (tx) => {
        await tx.query(insertLate, ['ada']);
      },
    ],
    ['its connection is cut', async (tx) => tx.send(suicide)],
  ])('R11 is not done when %s', async (_, work) => {
    await database.query(insert, ['ada', 100]);
    const done: string[] = [];
    const failing = database.transaction(async (tx) => {
      tx.afterCommit(() => done.push('before'));
      await work(tx);
      tx.afterCommit(() => done.push('behind'));
    });
    await expect(failing).rejects.toBeDefined();
    expect(done).toEqual([]);
  });

  it('R11 is done for the last run only, when the transaction is run again', async () => {
    await database.query(insert, ['ada', 100]);
    const done: string[] = [];
    let runs = 0;
    await database.transaction(async (tx) => {
      const run = ++runs;
      tx.afterCommit(() => done.push(`run ${run}`));
      tx.send({ name: 'test.repeatable', text: 'set transaction isolation level repeatable read' });
      await tx.query(read, ['ada']);
      if (run === 1) await database.query(add, ['ada', 7]);
      tx.send(add, ['ada', 1]);
      tx.afterCommit(() => done.push(`end of run ${run}`));
    });
    expect(runs).toBe(2);
    expect(done).toEqual(['run 2', 'end of run 2']);
  });
});

describe('R11 the instants of a commit', () => {
  const seen: unknown[] = [];
  const listen = (instant: unknown) => seen.push(instant);
  beforeEach(() => {
    seen.length = 0;
    subscribe('shop:instant', listen);
  });
  afterEach(() => unsubscribe('shop:instant', listen));
  const names = () => seen.map((instant) => (instant as { name: string }).name);

  it('R11 are named in order, with the values that are being committed', async () => {
    await database.transaction(async (tx) => {
      tx.send(insert, ['ada', 100]);
      await tx.query(read, ['ada']);
      expect(seen).toEqual([]);
      tx.send(insert, ['bob', 1]);
    });
    expect(names()).toEqual(['commit.before', 'commit.sent', 'commit.after']);
    expect(seen[0]).toMatchObject({
      about: expect.arrayContaining([
        ['ada', 100],
        ['bob', 1],
      ]),
    });
  });

  it('R11 do not come to a commit that failed, nor to work that threw', async () => {
    await database.query(insert, ['ada', 100]);
    await expect(database.transaction(async (tx) => tx.send(insert, ['ada', 1]))).rejects.toBeDefined();
    expect(names()).toEqual(['commit.before', 'commit.sent']);
    await expect(database.transaction(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(names()).toHaveLength(2);
  });
});

describe('R11 a transaction that lost a race', () => {
  it('runs again from its start after a serialization failure, and sees what the winner wrote', async () => {
    await database.query(insert, ['ada', 100]);
    const seen: number[] = [];
    await database.transaction(async (tx) => {
      tx.send({ name: 'test.repeatable', text: 'set transaction isolation level repeatable read' });
      const [row] = await tx.query<{ cents: number }>(read, ['ada']);
      seen.push(row!.cents);
      if (seen.length === 1) await database.query(add, ['ada', 7]);
      tx.send(add, ['ada', 1]);
    });
    expect(seen).toEqual([100, 107]);
    expect(await balance('ada')).toBe(108);
  });

  it('runs again after a deadlock, and both transactions commit', async () => {
    await database.query(insert, ['ada', 0]);
    await database.query(insert, ['bob', 0]);
    const holding = { ada: meeting(), bob: meeting() };
    let runs = 0;
    const transfer = (from: 'ada' | 'bob', to: 'ada' | 'bob') =>
      database.transaction(async (tx) => {
        runs++;
        tx.send({ name: 'test.soon', text: `set local deadlock_timeout = '20ms'` });
        await tx.query(lock, [from]);
        holding[from].reach();
        await holding[to].reached;
        await tx.query(lock, [to]);
        tx.send(add, [from, -1]);
        tx.send(add, [to, 1]);
      });
    await Promise.all([transfer('ada', 'bob'), transfer('bob', 'ada')]);
    // At least one more run: the loser may meet the winner again before the winner has ended.
    expect(runs).toBeGreaterThanOrEqual(3);
    expect([await balance('ada'), await balance('bob')]).toEqual([0, 0]);
  });

  it('gives up after a few times, with the last failure', async () => {
    let runs = 0;
    const unlucky = {
      name: 'test.unlucky',
      text: `do $$ begin raise exception 'again' using errcode = '40001'; end $$`,
    };
    const work = database.transaction(async (tx) => {
      runs++;
      tx.send(unlucky);
    });
    const error: unknown = await work.catch((reason: unknown) => reason);
    expect(isSerializationFailure(error)).toBe(true);
    expect(runs).toBe(5);
  });

  it('runs again for another failure only when its caller knows that one as a race', async () => {
    await database.query(insert, ['ada', 100]);
    let runs = 0;
    const work = async (retryOn?: (error: unknown) => boolean) => {
      runs = 0;
      await database.transaction(async (tx) => {
        if (++runs === 1) tx.send(insert, ['ada', 1]);
      }, retryOn);
    };
    await expect(work()).rejects.toMatchObject({ constraint: 'account_pkey' });
    expect(runs).toBe(1);
    await work((error) => isUniqueViolation(error, 'account_pkey'));
    expect(runs).toBe(2);
  });
});

describe('what is asked behind the end of a transaction', () => {
  it.each([
    ['was committed', async () => undefined],
    [
      'failed',
      async () => {
        throw new Error('out of luck');
      },
    ],
  ])('is refused when it %s: nothing would take it back', async (_, end) => {
    let leaked: Tx | undefined;
    await database
      .transaction((tx) => {
        leaked = tx;
        return end();
      })
      .catch(() => undefined);
    await expect(leaked!.query(insert, ['late', 1])).rejects.toThrow('behind the end of its transaction');
    expect(() => leaked!.send(insert, ['late', 1])).toThrow('behind the end of its transaction');
    expect(await database.query(read, ['late'])).toEqual([]);
  });
});

describe('a statement', () => {
  const prepared: Statement = {
    name: 'test.prepared',
    text: 'select (generic_plans + custom_plans)::int as runs from pg_prepared_statements where name = $1',
  };

  it('is prepared once for each connection, however often and from wherever it is run', async () => {
    const single = onOneConnection();
    await single.connect();
    try {
      for (let turn = 0; turn < 3; turn++) {
        await single.transaction(async (tx) => {
          tx.send(read, ['ada']);
          await tx.query(read, ['ada']);
        });
        await single.query(read, ['ada']);
      }
      // If the statement had been prepared again, the count would have started again.
      expect(await single.query(prepared, [read.name])).toEqual([{ runs: 9 }]);
    } finally {
      await single.close();
    }
  });

  it('that failed when it first ran can be run again on the same connection', async () => {
    const single = onOneConnection();
    await single.connect();
    try {
      await single.query(insert, ['ada', 1]);
      const fresh = { name: 'test.fresh', text: 'insert into account values ($1, $2) returning cents' };
      await expect(single.query(fresh, ['ada', 2])).rejects.toMatchObject({ constraint: 'account_pkey' });
      expect(await single.query(fresh, ['bob', 2])).toEqual([{ cents: 2 }]);
      expect(await single.query(fresh, ['eve', 3])).toEqual([{ cents: 3 }]);
    } finally {
      await single.close();
    }
  });

  it('whose value cannot be sent fails alone, and leaves the connection in order', async () => {
    const single = onOneConnection();
    await single.connect();
    try {
      const circular: Record<string, unknown> = {};
      circular['self'] = circular;
      await expect(single.query(read, [circular])).rejects.toThrow(/circular/i);
      await expect(single.transaction((tx) => tx.query(read, [circular]))).rejects.toThrow(/circular/i);
      expect(await single.query(read, ['ada'])).toEqual([]);
    } finally {
      await single.close();
    }
  });

  it('reads bigints as numbers', async () => {
    const big = { name: 'test.big', text: 'select 9007199254740991::bigint as n, count(*) as rows from account' };
    expect(await database.query(big)).toEqual([{ n: Number.MAX_SAFE_INTEGER, rows: 0 }]);
  });
});

describe('a database that cannot be reached', () => {
  it('fails as a connection failure', async () => {
    const gone = await createTestDatabase();
    const url = new URL(gone.url);
    url.port = '1';
    const absent = createDatabase({ url: url.href, applicationName: 'test' });
    const error: unknown = await absent.connect().catch((reason: unknown) => reason);
    expect(isPassing(error)).toBe(true);
    await gone.drop();
  });
});
