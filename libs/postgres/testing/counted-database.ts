/** Counts the transactions of its owner. A transaction that runs again counts once. */
import { Database } from '../src/database';
import type { Tx } from '../src/transaction';

export class CountedDatabase extends Database {
  transactions = 0;

  override transaction<T>(work: (tx: Tx) => Promise<T>, retryOn?: (error: unknown) => boolean): Promise<T> {
    this.transactions++;
    return super.transaction(work, retryOn);
  }
}
