/**
 * A store in memory with transactions, for tests and trials. It runs one transaction at a time. Nobody else sees the
 * writes of a transaction before it commits, and a failure leaves nothing of them. The store is lost with the process.
 */
import type { Kind, Transactions } from './ledger';

export interface Memory extends Kind {
  tx: MemoryTx;
  reader: MemoryReader;
}

/** Rows of all tables, by table and id. A row is never changed, only replaced. */
export interface MemoryReader {
  get<Row>(table: string, id: string): Row | undefined;
  /** All rows of a table, oldest first. */
  all<Row>(table: string): Row[];
  /** Writes one row at once, as its own transaction. Undefined removes the row. */
  put(table: string, id: string, row: object | undefined): void;
}

/** Like the store, but a `put` is kept only when the transaction commits. */
export interface MemoryTx extends MemoryReader {
  afterCommit(act: () => void): void;
}

/** A transaction that lost a race this often has another problem than a race. */
const MAX_ATTEMPTS = 5;

export class MemoryStore implements Transactions<Memory>, MemoryReader {
  private readonly tables = new Map<string, Map<string, object>>();
  /** Settles when the last requested transaction has ended. */
  private last: Promise<unknown> = Promise.resolve();

  transaction<T>(work: (tx: MemoryTx) => Promise<T>, retryOn?: (error: unknown) => boolean): Promise<T> {
    const running = this.last.then(() => this.attempt(work, retryOn, 1));
    this.last = running.catch(() => undefined);
    return running;
  }

  get<Row>(table: string, id: string): Row | undefined {
    return this.tables.get(table)?.get(id) as Row | undefined;
  }

  all<Row>(table: string): Row[] {
    return this.entries(table).map(([, row]) => row as Row);
  }

  entries(table: string): [id: string, row: object][] {
    return [...(this.tables.get(table) ?? [])];
  }

  put(table: string, id: string, row: object | undefined): void {
    const rows = this.tables.get(table) ?? new Map<string, object>();
    this.tables.set(table, rows);
    if (row) rows.set(id, row);
    else rows.delete(id);
  }

  private async attempt<T>(
    work: (tx: MemoryTx) => Promise<T>,
    retryOn: ((error: unknown) => boolean) | undefined,
    attempt: number,
  ): Promise<T> {
    const tx = new Transaction(this);
    try {
      const result = await work(tx);
      tx.commit();
      return result;
    } catch (error) {
      if (attempt === MAX_ATTEMPTS || !retryOn?.(error)) throw error;
      return this.attempt(work, retryOn, attempt + 1);
    }
  }
}

class Transaction implements MemoryTx {
  /** The new value of each changed row; undefined for a removed row. */
  private readonly changes = new Map<string, Map<string, object | undefined>>();
  private readonly acts: (() => void)[] = [];

  constructor(private readonly store: MemoryStore) {}

  get<Row>(table: string, id: string): Row | undefined {
    const changed = this.changes.get(table);
    return changed?.has(id) ? (changed.get(id) as Row | undefined) : this.store.get<Row>(table, id);
  }

  all<Row>(table: string): Row[] {
    const changed = this.changes.get(table);
    if (!changed) return this.store.all<Row>(table);
    const rows = new Map([...this.store.entries(table), ...changed]);
    return [...rows.values()].filter((row) => row !== undefined) as Row[];
  }

  put(table: string, id: string, row: object | undefined): void {
    const changed = this.changes.get(table) ?? new Map<string, object | undefined>();
    this.changes.set(table, changed);
    changed.set(id, row);
  }

  afterCommit(act: () => void): void {
    this.acts.push(act);
  }

  commit(): void {
    for (const [table, rows] of this.changes) for (const [id, row] of rows) this.store.put(table, id, row);
    for (const act of this.acts) act();
  }
}
