/** Takes on the deliveries of confirmed orders, in the transaction of whoever has heard of the orders. */
import { ERASED } from '@shop/messaging';
import { rowsOf, type Statement, type Tx } from '@shop/postgres';
import { deliveryIdOf } from './delivery';

export interface NewDelivery {
  tenant: string;
  orderId: string;
  /** `ERASED` when nobody knows any more who it was. */
  customerId: string;
  /** Who has placed the order, and may see the delivery. */
  placedBy?: string;
  lines: { sku: string; quantity: number }[];
  /** An order of before this service, which somebody else has delivered. It is never handed over. */
  suppressed?: boolean;
  /** The `traceparent` that it is delivered in. */
  trace?: string;
}

/** One for each order: taken on again, or behind its stop, nothing changes. */
export function takeOnDeliveries(tx: Tx, deliveries: readonly NewDelivery[]): void {
  if (deliveries.length === 0) return;
  const rows = deliveries.map(({ tenant, orderId, customerId, placedBy, lines, suppressed = false, trace }) => ({
    tenant,
    id: deliveryIdOf({ tenant, orderId }),
    order_id: orderId,
    customer_id: customerId === ERASED ? null : customerId,
    placed_by: placedBy,
    lines: lines.map(({ sku, quantity }) => ({ sku, quantity })),
    elsewhere: suppressed,
    traceparent: trace,
  }));
  tx.send(insertNew, [rowsOf(rows)]);
}

// The rows are inserted in the order of their keys, so that two transactions with the same orders wait and do not lock up.
const insertNew: Statement = {
  name: 'delivery.take-on',
  text: `
    insert into delivery (tenant, id, order_id, customer_id, placed_by, lines, status, next_at, traceparent)
    select tenant, id, order_id, customer_id, placed_by, lines,
           case when elsewhere then 'elsewhere' else 'waiting' end, case when not elsewhere then now() end, traceparent
    from jsonb_to_recordset($1::jsonb)
      as n (tenant text, id text, order_id uuid, customer_id text, placed_by text, lines jsonb,
            elsewhere boolean, traceparent text)
    order by tenant, id
    on conflict do nothing`,
};
