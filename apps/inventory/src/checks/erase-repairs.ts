/** Erases what people wrote about repairs of stock, and for a whole tenant also who they were. */
import { type DataSubject, ERASED } from '@shop/messaging';
import type { Database, Statement } from '@shop/postgres';
import type { ErasedRows } from '@shop/service';

export async function eraseRepairs(database: Database, { tenant, customerId }: DataSubject): Promise<ErasedRows[]> {
  const rows = (await database.query(erase, [tenant, customerId ?? null, ERASED])).length;
  return [{ table: 'stock_repair', what: 'reasons of repairs', rows }];
}

// A repair is an act of a person on one row that was broken. There are few of them in the life of a shop. The reason may be
// erased already, with a customer, and not yet who wrote it.
const erase: Statement = {
  name: 'stock-repair.erase',
  text: `
    update stock_repair set reason = $3, by = case when $2::text is null then $3 else by end
    where tenant = $1 and case
        when $2::text is null then reason <> $3 or by <> $3
        else reason <> $3 and position($2::text in reason) > 0
      end
    returning 1`,
};
