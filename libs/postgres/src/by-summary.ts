/** Questions that go by a summary of each stretch of a table, which is an index of the kind BRIN. */
import type { Database } from './database';
import type { Statement } from './statement';

const allowBitmaps: Statement = {
  name: 'plan.allow-bitmaps',
  text: `select set_config('enable_bitmapscan', 'on', true)`,
};

/**
 * Runs one statement that may use such an index. It needs a bitmap scan, and our sessions have none (`session.ts`), so
 * without this the whole table would be read.
 */
export function queryBySummary<Row>(
  database: Database,
  statement: Statement,
  values?: readonly unknown[],
): Promise<Row[]> {
  return database.transaction((tx) => {
    tx.send(allowBitmaps);
    return tx.query<Row>(statement, values);
  });
}
