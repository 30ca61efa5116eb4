/** Says in the name of the payment service that a refund cannot be done, so that the saga of the order is parked. */
import { publishAs } from './publish-as';
import type { Shop } from './shop';

/** @param ids of orders whose sagas wait for the undo of their charges */
export function refuseRefund(shop: Shop, ...ids: string[]): Promise<void> {
  return refuse(
    shop,
    ids.map((id) => refusalOf(id, 'charge/undo')),
  );
}

/** @param id of the saga that cancels an order and waits for the refund */
export function refuseRefundOfCancellation(shop: Shop, id: string): Promise<void> {
  return refuse(shop, [refusalOf(id, 'refund/do')]);
}

const refuse = (shop: Shop, replies: object[]): Promise<void> =>
  publishAs(shop, 'payment', 'reply.order.from.payment', JSON.stringify(replies));

const refusalOf = (sagaId: string, command: string) => ({
  specversion: '1.0',
  id: `${sagaId}/${command}/reply`,
  type: 'payment.refund-payment.v1.reply',
  source: 'payment',
  subject: sagaId,
  causationid: `${sagaId}/${command}`,
  datacontenttype: 'application/json',
  data: { outcome: 'refused', reason: 'refund_refused' },
});
