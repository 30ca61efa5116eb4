/** An erasure changes many rows in small steps, each a transaction of its own, so that it holds no lock for long. */
import type { Database, Statement } from '@shop/postgres';

/** How far a step has looked. */
interface Step {
  /** The key of the last row that it has looked at; null behind the last one. */
  last: string | null;
  changed: number;
}

/** Below every key that is a uuid. */
export const FIRST_UUID = '00000000-0000-0000-0000-000000000000';

/**
 * Walks over a key, and returns how many rows were changed. For rows that are not found by what is erased.
 * @param step the statement for the rows behind this key, and its values; it answers one row, `last` and `changed`
 */
export async function eraseAlong(
  database: Database,
  first: string,
  step: (after: string) => [Statement, unknown[]],
): Promise<number> {
  let rows = 0;
  for (let after: string | null = first; after !== null;) {
    const [done]: Step[] = await database.query<Step>(...step(after));
    rows += done!.changed;
    after = done!.last;
  }
  return rows;
}

/**
 * Runs the statement until it finds less than `perStep` rows, and returns how many it has found. For rows that it does not
 * find again.
 * @param statement answers a row for each that it has changed
 */
export async function eraseFound(
  database: Database,
  perStep: number,
  statement: Statement,
  values: readonly unknown[],
): Promise<number> {
  let rows = 0;
  for (let found = perStep; found === perStep; rows += found) {
    found = (await database.query(statement, values)).length;
  }
  return rows;
}
