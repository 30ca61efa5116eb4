/** How many rows the tables of the order service have that a request to it writes. */
import type { Stack } from '@shop/stack';
import { Client } from 'pg';

/** By table. */
export type RowCounts = Record<string, number>;

const tables = ['orders', 'ledger', 'saga', 'saga_history', 'outbox'];

export async function rowCounts(stack: Stack): Promise<RowCounts> {
  const client = new Client({ connectionString: stack.databaseUrl('order') });
  await client.connect();
  try {
    const counts = tables.map((table) => `(select count(*)::int from ${table}) as ${table}`);
    return (await client.query<RowCounts>(`select ${counts.join(', ')}`)).rows[0]!;
  } finally {
    await client.end();
  }
}

export const rowsPerOrder = (before: RowCounts, after: RowCounts, orders: number): RowCounts =>
  Object.fromEntries(Object.entries(after).map(([table, count]) => [table, (count - before[table]!) / orders]));
