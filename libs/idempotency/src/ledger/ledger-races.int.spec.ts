/** Marks, points and ends of the same works in several transactions at once, on PostgreSQL. */
import { createDatabase, type Database, type Statement, type Tx } from '@shop/postgres';
import { applyMigrations } from '@shop/postgres/testing';
import { eventually, useStack } from '@shop/testing';
import { newLeaseToken } from './lease';
import type { Held } from './ledger';
import { ledgerMigrations } from './migrations';
import { PostgresLedger } from './postgres-ledger';

const stack = useStack({ templateKey: 'ledger', migrate: (url) => applyMigrations(url, ledgerMigrations) });

const ledger = new PostgresLedger();
let database: Database;
beforeAll(async () => {
  database = createDatabase({ url: stack.databaseUrl, applicationName: 'test' });
  await database.connect();
});
afterAll(() => database.close());

const selectMark: Statement = { name: 'test.mark', text: 'select status, undone from ledger where key = $1' };
const selectWaiting: Statement = {
  name: 'test.waiting',
  text: `select pid from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`,
};
/** As for a large ledger: the keys are looked up one after the other. For a small one, the planner reads all of it. */
const lookUp: Statement[] = ['hashjoin', 'mergejoin'].map((join) => ({
  name: `test.no-${join}`,
  text: `set local enable_${join} = off`,
}));

async function begin(...keys: string[]): Promise<Held[]> {
  const held = keys.map((key) => ({ scope: 's', key, token: newLeaseToken() }));
  const claims = held.map((one) => ({ ...one, fingerprint: Buffer.alloc(32), work: 'cook', input: null }));
  await database.transaction(async (tx) => ledger.lease(tx, claims, { owner: 'me', durationMs: 60_000 }));
  return held;
}
const pointOf = (held: Held) => ({ ...held, point: 'point', result: 1 });
const somebodyWaits = () => eventually(async () => expect(await database.query(selectWaiting)).toHaveLength(1));

it('R4 a mark that had to wait for the end of the work changes nothing', async () => {
  const [work] = await begin('overtaken');
  let marking: Promise<void> | undefined;
  await database.transaction(async (tx) => {
    await ledger.complete(tx, [{ ...work!, answer: { status: 200, body: '"done"' } }]);
    marking = database.transaction(async (other) => ledger.mark(other, [work!]));
    await somebodyWaits();
  });
  await marking;
  expect(await database.query(selectMark, ['overtaken'])).toEqual([{ status: 'completed', undone: null }]);
});

it.each<[string, (tx: Tx, works: readonly Held[]) => unknown]>([
  ['marks', (tx, works) => ledger.mark(tx, works)],
  ['points', (tx, works) => ledger.savePoints(tx, works.map(pointOf))],
])('R16 R4 %s of several works do not deadlock with the points of the same works', async (what, write) => {
  const [first, second] = await begin(`${what} 1`, `${what} 2`);
  let runs = 0;
  let writing: Promise<unknown> | undefined;
  await database.transaction(async (tx) => {
    runs++;
    await ledger.savePoints(tx, [pointOf(first!)]);
    const isFirstRun = writing === undefined;
    writing ??= database.transaction(async (other) => {
      runs++;
      for (const statement of lookUp) other.send(statement);
      await write(other, [second!, first!]);
    });
    if (isFirstRun) await somebodyWaits();
    await ledger.savePoints(tx, [pointOf(second!)]);
  });
  await writing;
  // After a deadlock, there would be one more run.
  expect(runs).toBe(2);
});
