/**
 * Runs code of the test between the first and the second statement of a transaction. A transaction that reads nothing
 * has no such place, so it is made to run again, as after a lost race.
 */
import { Database } from '../src/database';
import type { Statement } from '../src/statement';
import type { Tx } from '../src/transaction';

const SERIALIZATION_FAILURE = '40001';

export class InterruptedDatabase extends Database {
  /** Runs once, in the next transaction. */
  afterFirstStatement?: () => Promise<void>;

  override transaction<T>(work: (tx: Tx) => Promise<T>, retryOn?: (error: unknown) => boolean): Promise<T> {
    return super.transaction(async (tx) => {
      const interrupt = this.afterFirstStatement;
      this.afterFirstStatement = undefined;
      let first: Promise<unknown> | undefined;
      const query = <Row>(statement: Statement, values?: readonly unknown[]): Promise<Row[]> => {
        if (first) return first.then(() => tx.query<Row>(statement, values));
        const answer = tx.query<Row>(statement, values);
        first = answer.then(interrupt);
        return answer;
      };
      const result = await work({ ...tx, query });
      if (!interrupt || first) return result;
      this.afterFirstStatement = interrupt;
      throw Object.assign(new Error('interrupted'), { code: SERIALIZATION_FAILURE });
    }, retryOn);
  }
}
