/**
 * The database as a process sees it that dies in the middle of its work: some transactions succeed, and then no
 * statement reaches it.
 */
import { Database, type Statement, type Tx } from '@shop/postgres';
import type { DataSource } from 'typeorm';

export class DyingDatabase extends Database {
  private begun = 0;

  /**
   * Dies in its n-th transaction, from 1: before the commit, or after the commit and before the process gets the
   * answer.
   */
  constructor(
    dataSource: DataSource,
    private readonly lastTransaction: number,
    private readonly moment: 'before' | 'behind',
  ) {
    super(dataSource);
  }

  override async query<Row>(statement: Statement, values?: readonly unknown[]): Promise<Row[]> {
    this.checkAlive();
    return super.query<Row>(statement, values);
  }

  override async transaction<T>(work: (tx: Tx) => Promise<T>, retryOn?: (error: unknown) => boolean): Promise<T> {
    this.checkAlive();
    this.begun++;
    if (this.begun < this.lastTransaction) return super.transaction(work, retryOn);
    if (this.moment === 'behind') {
      await super.transaction(work, retryOn);
      throw died();
    }
    return super.transaction(async (tx) => {
      await work(tx);
      throw died();
    });
  }

  private checkAlive(): void {
    if (this.begun >= this.lastTransaction) throw died();
  }
}

const died = () => new Error('the process has died');
