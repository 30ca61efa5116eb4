/** Runs a backfill from its beginning to its end, in the process of a test, without waiting for its rate. */
import { createLogger } from '@shop/observability';
import type { Database } from '@shop/postgres';
import { type Backfill, BackfillWorker } from '../src';
import { enterBackfills, listBackfills, lockBackfill, moveBackfill } from '../src/backfill.repository';
import { moveOf } from '../src/backfill-state';

/** The fastest. */
const RATE_PER_SECOND = 100_000;

/**
 * The database has `backfillMigrations`. A backfill that is done runs again. Returns how many rows were worked on.
 * @throws Error when a step fails
 */
export async function workOffBackfill(database: Database, backfill: Backfill): Promise<number> {
  const { name } = backfill;
  await enterBackfills(database, [name]);
  await database.transaction(async (tx) => {
    const { status, runs } = await lockBackfill(tx, name);
    const move = moveOf({ status, runs }, { status: 'running', run: status === 'done' ? runs + 1 : undefined });
    if (typeof move === 'object') throw new Error(move.refused);
    await moveBackfill(tx, name, move, RATE_PER_SECOND);
  });
  const logger = createLogger({ service: 'test', level: 'silent', format: 'json' });
  await new BackfillWorker({ database, backfills: [backfill], logger }).workOff();
  const [row] = await listBackfills(database, { names: [name], after: '', limit: 1 });
  if (row!.status !== 'done') throw new Error(`the backfill ${name} is ${row!.status}: ${row!.lastError}`);
  return row!.worked;
}
