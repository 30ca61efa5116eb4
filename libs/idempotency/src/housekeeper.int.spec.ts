import { randomUUID } from 'node:crypto';
import type { Database, Tx } from '@shop/postgres';
import { eventually, useStack } from '@shop/testing';
import { migrateLedger, openNotes } from '../testing/notes-app';
import { answerWith } from './answer';
import { Housekeeper } from './housekeeper';
import { Idempotency } from './idempotency';
import type { Stretch } from './ledger/ledger';
import { MemoryLedger } from './ledger/memory-ledger';
import { type Memory, MemoryStore } from './ledger/memory-store';
import { PostgresLedger } from './ledger/postgres-ledger';
import type { Claim } from './settle';

const stack = useStack({ templateKey: 'ledger', migrate: migrateLedger });
const EXPIRED = 20_000;

let database: Database;
beforeAll(async () => {
  database = await openNotes(stack.databaseUrl);
});
afterAll(() => database.close());

const fill = (count: number, age: string, scope: string) =>
  database.query(
    {
      name: 'test.fill',
      text: `insert into ledger (scope, key, status, answer_status, answer_body, completed_at, expires_at)
             select $2, n::text, 'completed', 200, repeat('x', 200), now(), now() - $3::interval
             from generate_series(1, $1::int) n`,
    },
    [count, scope, age],
  );
const countOf = async (scope: string): Promise<number> => {
  const count = { name: 'test.count', text: 'select count(*) as n from ledger where scope = $1' };
  return (await database.query<{ n: number }>(count, [scope]))[0]!.n;
};
const claimOf = (scope = 'load'): Claim => ({ scope, key: randomUUID(), fingerprint: Buffer.alloc(32) });

/** Remembers how many rows each stretch of a walk has removed. */
class WatchedLedger extends PostgresLedger {
  readonly removed: number[] = [];

  override async reap(from: Pick<Tx, 'query'>, start: number): Promise<Stretch> {
    const stretch = await super.reap(from, start);
    this.removed.push(stretch.changed);
    return stretch;
  }
}

describe('R20 the reaper', () => {
  it('R20 removes what has expired in bounded stretches, under load and from two replicas, and never a pending row', async () => {
    await fill(EXPIRED, '1 s', 'expired');
    await fill(1_000, '-1 h', 'young');
    const ledgers = [new WatchedLedger(), new WatchedLedger()];
    const keepers = ledgers.map((ledger) => new Housekeeper(database, ledger, new Idempotency(database, ledger).works));
    const pending = claimOf();
    const leased = { ...pending, token: randomUUID(), work: 'task', input: null };
    await database.transaction(async (tx) => ledgers[0]!.lease(tx, [leased], { owner: 'me', durationMs: -1_000_000 }));

    const idempotency = new Idempotency(database, new PostgresLedger());
    let working = true;
    let served = 0;
    const load = (async () => {
      for (; working; served++) await idempotency.once(claimOf(), async () => answerWith(200, {}));
    })();
    await Promise.all(keepers.map((keeper) => keeper.reap()));
    // While one replica walks, the other one skips its turn. Its next walk finds what is left.
    await keepers[0]!.reap();
    working = false;
    await load;

    expect(await countOf('expired')).toBe(0);
    expect(await countOf('young')).toBe(1_000);
    expect(await countOf('load')).toBe(served + 1);
    expect(served).toBeGreaterThan(0);
    const removed = ledgers.flatMap((ledger) => ledger.removed);
    expect(Math.max(...removed)).toBeLessThan(EXPIRED / 2);
  });
});

describe('R18 the completer', () => {
  it('R18 resumes in the background what a crashed process has left, and stops when told', async () => {
    let now = Date.parse('2026-01-01');
    const store = new MemoryStore();
    const ledger = new MemoryLedger(() => now);
    const crashed = new Idempotency<Memory>(store, ledger);
    const claim = claimOf();
    let reached: () => void = () => undefined;
    const hanging = new Promise<void>((resolve) => (reached = resolve));
    const task = crashed.leased('task', async () => {
      reached();
      return new Promise(() => undefined);
    });
    void task(claim, { n: 1 });
    await hanging;

    const { works } = new Idempotency<Memory>(store, ledger);
    const inputs: unknown[] = [];
    works.define('task', async (work, input) => {
      inputs.push(input);
      return work.finish(() => answerWith(200, { attempt: work.attempt }));
    });
    const keeper = new Housekeeper(store, ledger, works);
    keeper.start();
    now += 60_000;
    await eventually(async () => {
      expect(await ledger.find(store, [claim])).toMatchObject([
        { status: 'completed', answer: { body: '{"attempt":2}' } },
      ]);
    });
    expect(inputs).toEqual([{ n: 1 }]);
    await keeper.stop();
  });
});
