/** The events of payments: written with the change that they tell of, and published by the relay. */
import { appendEvents, type EventType, newEvent } from '@shop/messaging';
import type { Tx } from '@shop/postgres';
import type { Payment } from './payment';

interface About {
  tenant: string;
  paymentId: string;
  orderId?: string;
}

/**
 * Writes an event about a payment in the caller's transaction.
 * @param what names the event among those of its payment, so that it is the same event however often it is told
 */
export function tellOfPayment<Body extends About>(
  tx: Tx,
  type: EventType<Body>,
  { tenant, id, orderId }: Pick<Payment, 'tenant' | 'id' | 'orderId'>,
  { what, more }: { what: string; more: Omit<Body, keyof About> },
): void {
  const data = { tenant, paymentId: id, orderId: orderId ?? undefined, ...more } as Body;
  appendEvents(tx, [newEvent(type, { id: `${id}/${what}`, subject: id, data })]);
}
