/** Erases what people wrote about movements of stock. The movements stay: stock is their sum. */
import { type DataSubject, ERASED } from '@shop/messaging';
import type { Database, Statement } from '@shop/postgres';
import { eraseAlong, type ErasedRows } from '@shop/service';

const MOVEMENTS_PER_STEP = 1_000;

export async function eraseMovements(database: Database, { tenant, customerId }: DataSubject): Promise<ErasedRows[]> {
  const rows = await eraseAlong(database, '', (after) => [
    eraseReasons,
    [tenant, after, MOVEMENTS_PER_STEP, customerId ?? null, ERASED],
  ]);
  return [{ table: 'stock_movement', what: 'reasons of adjustments', rows }];
}

// Only the reason of an adjustment was written by a person. Adjustments have an index by their cause, which is their
// request; the movements of orders, which are many more, are not in it.
const eraseReasons: Statement = {
  name: 'stock-movement.erase-reasons',
  text: `
    with step as (
      select id, tenant, reason, cause from stock_movement
      where cause like 'POST %' and cause > $2 order by cause limit $3
    ), changed as (
      update stock_movement m set reason = $5
      from step
      where m.id = step.id and step.tenant = $1 and step.reason <> $5
        and ($4::text is null or position($4::text in step.reason) > 0)
      returning 1
    )
    select (select max(cause) from step) as last, (select count(*) from changed)::int as changed`,
};
