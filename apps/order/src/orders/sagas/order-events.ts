/** The events of an order: it is confirmed, or cancelled. Pure. */
import { OrderCancelled, OrderConfirmed } from '@shop/contracts';
import { type Message, newEvent } from '@shop/messaging';
import type { SagaRow } from '@shop/saga';
import type { StatusChange } from '../orders.repository';
import { cancelOrder, type CancelOrder, type PlaceOrder } from './place-order.saga';

/**
 * The event for a change of status, if there is one. Its id is made of the id of the saga that placed the order, and of
 * the status. An order gets each of the two statuses at most once. Two tenants may choose the same order id, so it is
 * not used.
 */
export function eventOf(saga: SagaRow, { tenant, id, status, reason }: StatusChange): Message | undefined {
  if (status !== 'confirmed' && status !== 'cancelled') return undefined;
  const cancelling = saga.definition === cancelOrder.name;
  const placedBy = cancelling ? (saga.data as CancelOrder).placedBy : saga.id;
  const envelope = {
    id: `${placedBy}/${status}`,
    subject: placedBy,
    traceparent: saga.traceparent,
  };
  if (status === 'confirmed') {
    const { amount, currency } = saga.data as PlaceOrder;
    return newEvent(OrderConfirmed, { ...envelope, data: { tenant, orderId: id, amount, currency } });
  }
  return newEvent(OrderCancelled, { ...envelope, data: { tenant, orderId: id, reason } });
}
