/** Queues notifications in the transaction of what they tell of. From then on there is one, however often this comes again. */
import { rowsOf, type Statement, type Tx } from '@shop/postgres';
import { type NewNotification, notificationIdOf } from './notification';

export type { NewNotification, Template } from './notification';

/** Does not wait: the rows travel with the next statements. One that is there already stays as it is. */
export function queueNotifications(tx: Tx, notifications: readonly NewNotification[]): void {
  if (notifications.length === 0) return;
  const rows = notifications.map(
    ({ tenant, customerId, template, cause, orderId, data, suppressed = false, trace }) => ({
      tenant,
      id: notificationIdOf({ tenant, template, cause }),
      customer_id: customerId,
      template,
      cause,
      order_id: orderId,
      data,
      status: suppressed ? 'suppressed' : 'queued',
      reason: suppressed ? 'before_fulfilment' : null,
      traceparent: trace,
    }),
  );
  tx.send(insertAll, [rowsOf(rows)]);
}

// In the order of their keys, so that two transactions with the same ones do not wait for each other in a circle.
const insertAll: Statement = {
  name: 'notification.insert',
  text: `
    insert into notification (tenant, id, customer_id, template, cause, order_id, data, status, reason, traceparent)
    select tenant, id, customer_id, template, cause, order_id, data, status, reason, traceparent
    from jsonb_to_recordset($1) as row (tenant text, id text, customer_id text, template text, cause text,
                                        order_id uuid, data jsonb, status text, reason text, traceparent text)
    order by tenant, id
    on conflict do nothing`,
};
