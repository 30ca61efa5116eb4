/**
 * The clock of the database, for times that a process has to know before it writes them. All replicas have this clock in
 * common; the clock of a process may be wrong.
 */
import type { Statement } from './statement';
import type { Tx } from './transaction';

const selectNow: Statement = { name: 'clock.now', text: 'select now() as now' };

/** The `now()` of this transaction: when it began. */
export async function databaseTime(tx: Tx): Promise<Date> {
  const [row] = await tx.query<{ now: Date }>(selectNow);
  return row!.now;
}
