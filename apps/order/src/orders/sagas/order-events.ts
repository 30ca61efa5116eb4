/** The events of an order: it is confirmed or cancelled, or its customer has to do something. Pure. */
import { OrderActionRequired, OrderCancelled, OrderConfirmed } from '@shop/contracts';
import { type Message, newEvent } from '@shop/messaging';
import type { SagaRow } from '@shop/saga';
import type { StatusChange } from '../orders.repository';
import { cancelOrder, type CancelOrder } from './cancel-order.saga';
import type { PlaceOrder } from './place-order.saga';

/**
 * The event for a change of an order, if there is one. Its id is made of the id of the saga that placed the order, and of
 * the status. An order gets each of the two statuses at most once. Its customer may have to do something more than once,
 * so there the version of the saga is a part of the id. Two tenants may choose the same order id, so it is not used.
 */
export function eventOf(saga: SagaRow, { tenant, id, status, reason, nextAction }: StatusChange): Message | undefined {
  if (nextAction) {
    const { id: subject, version, traceparent } = saga;
    const data = { tenant, orderId: id, nextAction };
    return newEvent(OrderActionRequired, { id: `${subject}/action-required/${version}`, subject, traceparent, data });
  }
  if (status !== 'confirmed' && status !== 'cancelled') return undefined;
  const cancelling = saga.definition === cancelOrder.name;
  const placedBy = cancelling ? (saga.data as CancelOrder).placedBy : saga.id;
  const envelope = {
    id: `${placedBy}/${status}`,
    subject: placedBy,
    traceparent: saga.traceparent,
  };
  if (status === 'confirmed') {
    // It was confirmed before, and stays so: its delivery could not be stopped.
    if (cancelling) return undefined;
    const { amount, currency } = saga.data as PlaceOrder;
    return newEvent(OrderConfirmed, { ...envelope, data: { tenant, orderId: id, amount, currency } });
  }
  return newEvent(OrderCancelled, { ...envelope, data: { tenant, orderId: id, reason } });
}
