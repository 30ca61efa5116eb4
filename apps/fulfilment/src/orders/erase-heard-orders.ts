/** Erases whose the heard orders were. What was in them stays: it says nothing of a person. */
import type { DataSubject } from '@shop/messaging';
import type { Database, Statement } from '@shop/postgres';
import { eraseAlong, type ErasedRows, FIRST_UUID } from '@shop/service';

const ROWS_PER_STEP = 1_000;

export async function eraseHeardOrders(database: Database, { tenant, customerId }: DataSubject): Promise<ErasedRows[]> {
  const rows = await eraseAlong(database, FIRST_UUID, (after) => [
    erase,
    [tenant, after, ROWS_PER_STEP, customerId ?? null],
  ]);
  return [{ table: 'heard_order', what: 'customers of orders', rows }];
}

const erase: Statement = {
  name: 'heard-order.erase',
  text: `
    with step as materialized (
      select tenant, order_id, customer_id from heard_order where tenant = $1 and order_id > $2
      order by order_id limit $3 for update
    ), changed as (
      update heard_order h set customer_id = null, placed_by = null
      from step
      where h.tenant = step.tenant and h.order_id = step.order_id and step.customer_id is not null
        and ($4::text is null or step.customer_id = $4)
      returning 1
    )
    select (select order_id from step order by order_id desc limit 1) as last,
           (select count(*) from changed)::int as changed`,
};
