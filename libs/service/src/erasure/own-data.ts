/** What a service adds to an erasure: the tables that only it has. */
import type { DataSubject } from '@shop/messaging';
import type { Database } from '@shop/postgres';

/** What was erased from a table. */
export interface ErasedRows {
  table: string;
  /** In words, for the report. */
  what: string;
  rows: number;
}

export interface OwnData {
  /** How many orders, for example, are still under way. Their data is needed, so the erasure is refused meanwhile. */
  countOpen?(database: Database, subject: DataSubject): Promise<number>;
  /** What messages call the customer, where they do not name them. */
  aliasOf?(subject: { tenant: string; customerId: string }): string;
  /** Erases in small steps, each a transaction of its own. It converges: run again, it finds nothing. */
  erase(database: Database, subject: DataSubject): Promise<ErasedRows[]>;
}

export const OWN_DATA = Symbol('OWN_DATA');

/** For a service that has no personal data but what every service has. */
export const noOwnData: OwnData = { erase: async () => [] };
