import { useStack } from '@shop/testing';
import { type Pooler, type PoolerOptions, startPooler } from '../testing';
import { createDatabase } from './database';
import { areShared, refuseSharedSessions, type Seen } from './pooler';
import type { Statement } from './statement';

const stack = useStack();
let pooler: Pooler | undefined;
afterEach(async () => {
  await pooler?.close();
  pooler = undefined;
});

const start = async (options: PoolerOptions): Promise<string> => {
  pooler = await startPooler(stack.databaseUrl, options);
  return pooler.url;
};

describe('sessions are shared', () => {
  const seen = (...pairs: [client: number, session: string][]): Seen[] =>
    pairs.map(([client, session]) => ({ client, session }));

  it.each([
    ['not when each client keeps its own', seen([0, 'a'], [0, 'a'], [1, 'b'], [0, 'a'], [1, 'b']), false],
    ['when two clients see the same one', seen([0, 'a'], [0, 'a'], [1, 'a']), true],
    ['when a client sees two', seen([0, 'a'], [0, 'b'], [1, 'c']), true],
    ['when two clients have changed places', seen([0, 'a'], [1, 'b'], [0, 'b'], [1, 'a']), true],
    ['not when nobody has looked', [], false],
  ])('%s', (_, observed, expected) => {
    expect(areShared(observed)).toBe(expected);
  });
});

describe('a service starts', () => {
  it('at the server itself', async () => {
    await refuseSharedSessions({ url: stack.databaseUrl });
  });

  it('behind a pooler that leaves each client its session, and has its own settings there', async () => {
    const url = await start({ mode: 'session' });
    await refuseSharedSessions({ url });
    const database = createDatabase({ url, applicationName: 'test' });
    await database.connect();
    const limits: Statement = {
      name: 'test.limits',
      text: `select current_setting('statement_timeout') as statement, current_setting('enable_seqscan') as scan`,
    };
    // The second time, the statement is prepared.
    for (let time = 0; time < 2; time++) {
      expect(await database.query(limits)).toEqual([{ statement: '4500ms', scan: 'off' }]);
    }
    await database.close();
  });
});

describe('a service does not start', () => {
  it.each<[string, PoolerOptions]>([
    ['gives the newest session to the next transaction', { mode: 'transaction', next: 'last' }],
    ['gives the oldest session to the next transaction', { mode: 'transaction', next: 'first' }],
    ['has one session for all', { mode: 'transaction', size: 1 }],
  ])('behind a pooler that %s', async (_, options) => {
    const url = await start(options);
    // So that there are several sessions to choose from.
    const others = createDatabase({ url, applicationName: 'others' });
    await others.connect();
    const slow: Statement = { name: 'test.slow', text: 'select pg_sleep(0.05)' };
    await Promise.allSettled([1, 2, 3].map(() => others.query(slow)));
    await expect(refuseSharedSessions({ url })).rejects.toThrow('set pool_mode = session in PgBouncer');
    await others.close();
  });

  it('behind a pooler that has too few sessions', async () => {
    const url = await start({ mode: 'session', size: 1 });
    await expect(refuseSharedSessions({ url })).rejects.toThrow('each process of a service needs ten');
  });

  it('where nobody listens, and the error says so', async () => {
    await expect(refuseSharedSessions({ url: 'postgres://nobody@127.0.0.1:1/nothing' })).rejects.toThrow(
      'ECONNREFUSED',
    );
  });
});
