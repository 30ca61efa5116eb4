/** Counts anew what customers have of a SKU, by whoever holds the lock of its row. */
import type { Statement, Tx } from '@shop/postgres';

/**
 * Sends it. Reservations that have ended and are sold count, too. They are many, so they are read only for a SKU of which
 * somebody has something.
 */
export function rebuildHoldings(tx: Tx, tenant: string, sku: string): void {
  tx.send(rebuild, [tenant, sku]);
}

const rebuild: Statement = {
  name: 'customer-holding.rebuild',
  text: `
    with counted as (
      select r.customer, sum(line.quantity)::bigint as quantity
      from reservation r cross join lateral jsonb_to_recordset(r.counted) as line (sku text, quantity bigint)
      where exists (select 1 from customer_holding where tenant = $1 and sku = $2)
        and r.tenant || '' = $1 and r.status in ('open', 'confirmed') and r.customer is not null
        and r.counted is not null and line.sku = $2
      group by r.customer
    ), gone as (
      update customer_holding h set quantity = 0
      where h.tenant = $1 and h.sku = $2 and not exists (select 1 from counted c where c.customer = h.customer)
    )
    insert into customer_holding (tenant, sku, customer, quantity)
    select $1, $2, customer, quantity from counted
    on conflict (tenant, sku, customer) do update set quantity = excluded.quantity`,
};
