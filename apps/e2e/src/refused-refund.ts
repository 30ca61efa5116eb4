/** Says in the name of the payment service that a refund cannot be done, so that the saga of the order is parked. */
import { publishAs } from './publish-as';
import type { Shop } from './shop';

/** @param ids of orders whose sagas wait for the undo of their charges */
export function refuseRefund(shop: Shop, ...ids: string[]): Promise<void> {
  return publishAs(shop, 'payment', 'reply.order.from.payment', JSON.stringify(ids.map(refusal)));
}

const refusal = (id: string) => ({
  specversion: '1.0',
  id: `${id}/charge/undo/reply`,
  type: 'payment.refund-payment.v1.reply',
  source: 'payment',
  subject: id,
  causationid: `${id}/charge/undo`,
  datacontenttype: 'application/json',
  data: { outcome: 'refused', reason: 'refund_refused' },
});
