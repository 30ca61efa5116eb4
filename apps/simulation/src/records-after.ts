/** What the database of the fulfilment service holds at the end of a run, and what the order service has told of. */
import type { Statement } from '@shop/postgres';
import type { Databases } from './databases';
import { rowsOfEach, type StepRecord } from './records-shop';

export interface HeardRecord {
  order_id: string;
  status: string;
  was_confirmed: boolean;
  /** Others have cared for it. */
  earlier: boolean;
  due_at: string | null;
}

export interface PointRecord {
  order_id: string;
  kind: string;
  customer_id: string;
  points: number;
}

export interface NotificationRecord {
  id: string;
  order_id: string;
  customer_id: string;
  template: string;
  cause: string;
  status: string;
  reason: string | null;
}

export interface DeliveryRecord {
  id: string;
  order_id: string;
  status: string;
  stop_wanted: boolean;
  carrier_reference: string | null;
  last_error: string | null;
}

export interface RefundRecord {
  refund_id: string;
  order_id: string;
  amount: number;
  done: boolean;
}

export interface AfterRecords {
  heard: HeardRecord[];
  points: PointRecord[];
  notifications: NotificationRecord[];
  deliveries: DeliveryRecord[];
  refunds: RefundRecord[];
  steps: StepRecord[];
  /** The types of the events of each order, such as `order.confirmed.v1`. */
  told: { order_id: string; type: string }[];
}

export async function readAfterRecords({ order, fulfilment }: Databases, tenant: string): Promise<AfterRecords> {
  const [[after], told] = await Promise.all([
    fulfilment.query<{ all: Omit<AfterRecords, 'told'> }>(selectAfter, [tenant]),
    order.query<AfterRecords['told'][number]>(selectTold, [tenant]),
  ]);
  return { ...after!.all, told };
}

const selectTold: Statement = {
  name: 'simulation.told',
  text: `
    select event -> 'data' ->> 'orderId' as order_id, event ->> 'type' as type from outbox
    where event -> 'data' ->> 'tenant' = $1 order by xid, position`,
};

const selectAfter: Statement = {
  name: 'simulation.after',
  text: rowsOfEach({
    heard: `
      select order_id, status, was_confirmed, earlier, due_at from heard_order where tenant = $1
      order by heard_at, order_id`,
    points: 'select order_id, kind, customer_id, points from point_entry where tenant = $1 order by order_id, kind',
    notifications: `
      select id, order_id, customer_id, template, cause, status, reason from notification where tenant = $1
      order by order_id, template, cause`,
    deliveries: `
      select id, order_id, status, stop_wanted, carrier_reference, last_error from delivery where tenant = $1
      order by order_id`,
    refunds: `
      select refund_id, order_id, amount, done from heard_refund where tenant = $1 order by order_id, refund_id`,
    steps: 'select thing, id, was, is_now from sim.step where tenant = $1 order by position',
  }),
};
