/** Erases whose the points were. The entries stay, so that an order cannot earn again. */
import { type DataSubject, ERASED } from '@shop/messaging';
import type { Database, Statement } from '@shop/postgres';
import { eraseFound, type ErasedRows } from '@shop/service';

const ROWS_PER_STEP = 1_000;

export async function erasePoints(database: Database, { tenant, customerId }: DataSubject): Promise<ErasedRows[]> {
  const values = [tenant, customerId ?? null, ROWS_PER_STEP, ERASED];
  const rows = await eraseFound(database, ROWS_PER_STEP, erase, values);
  return [{ table: 'point_entry', what: 'customers of points', rows }];
}

// Erased rows are not found again, so each step finds other ones.
const erase: Statement = {
  name: 'points.erase',
  text: `
    with step as materialized (
      select tenant, order_id, kind from point_entry
      where tenant = $1 and customer_id <> $4 and ($2::text is null or customer_id = $2)
      order by order_id, kind limit $3 for update
    )
    update point_entry e set customer_id = $4, placed_by = null
    from step
    where e.tenant = step.tenant and e.order_id = step.order_id and e.kind = step.kind
    returning 1`,
};
