/** The entries of points. Each order earns once and loses once, whoever says so how often: the key sees to it. */
import { rowsOf, type Statement, type Tx } from '@shop/postgres';

export interface Earning {
  tenant: string;
  orderId: string;
  customerId: string;
  /** The principal that placed the order. */
  placedBy?: string;
  /** More than 0. */
  points: number;
}

interface OrderOf {
  tenant: string;
  orderId: string;
}

export function earnPoints(tx: Tx, earnings: readonly Earning[]): void {
  if (earnings.length === 0) return;
  const rows = earnings.map(({ tenant, orderId, customerId, placedBy, points }) => ({
    tenant,
    order_id: orderId,
    customer_id: customerId,
    placed_by: placedBy,
    points,
  }));
  tx.send(insertEarned, [rowsOf(rows)]);
}

/** Of orders that have earned none, nothing is taken back. */
export function takeBackPoints(tx: Tx, orders: readonly OrderOf[]): void {
  if (orders.length === 0) return;
  tx.send(insertTakenBack, [orders.map(({ tenant }) => tenant), orders.map(({ orderId }) => orderId)]);
}

const insertEarned: Statement = {
  name: 'points.earn',
  text: `
    insert into point_entry (tenant, order_id, kind, customer_id, placed_by, points)
    select tenant, order_id, 'earned', customer_id, placed_by, points
    from jsonb_to_recordset($1) as row (tenant text, order_id uuid, customer_id text, placed_by text, points bigint)
    order by tenant, order_id
    on conflict do nothing`,
};

const insertTakenBack: Statement = {
  name: 'points.take-back',
  text: `
    insert into point_entry (tenant, order_id, kind, customer_id, placed_by, points)
    select e.tenant, e.order_id, 'taken_back', e.customer_id, e.placed_by, -e.points
    from unnest($1::text[], $2::uuid[]) as cancelled (tenant, order_id)
    join point_entry e on e.tenant = cancelled.tenant and e.order_id = cancelled.order_id and e.kind = 'earned'
    order by e.tenant, e.order_id
    on conflict do nothing`,
};
