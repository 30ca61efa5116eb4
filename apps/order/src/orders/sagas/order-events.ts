/** What others are told of an order: that it is confirmed, or cancelled. Pure. */
import { OrderCancelled, OrderConfirmed } from '@shop/contracts';
import { type Message, newEvent } from '@shop/messaging';
import type { SagaRow } from '@shop/saga';
import type { StatusChange } from '../orders.repository';
import { cancelOrder, type CancelOrder, type PlaceOrder } from './place-order.saga';

/**
 * The event behind a change of status, if others are told of it. Its id is the saga that placed the order and the status:
 * an order comes to each of the two at most once, and two tenants may choose the same order id.
 */
export function eventOf(saga: SagaRow, { tenant, id, status, reason }: StatusChange): Message | undefined {
  if (status !== 'confirmed' && status !== 'cancelled') return undefined;
  const cancelling = saga.definition === cancelOrder.name;
  const placedBy = cancelling ? (saga.data as CancelOrder).placedBy : saga.id;
  const envelope = {
    id: `${placedBy}/${status}`,
    subject: placedBy,
    time: saga.updatedAt.toISOString(),
    traceparent: saga.traceparent,
  };
  if (status === 'confirmed') {
    const { amount, currency } = saga.data as PlaceOrder;
    return newEvent(OrderConfirmed, { ...envelope, data: { tenant, orderId: id, amount, currency } });
  }
  return newEvent(OrderCancelled, { ...envelope, data: { tenant, orderId: id, reason } });
}
