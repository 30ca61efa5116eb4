/** What a customer leaves behind who does more than order: a profile, carts, uses of promotions, reservations, limits. */
import { randomUUID } from 'node:crypto';
import type { ApiResponse } from '@shop/system';
import type { Order, Shop } from './shop';

/** It has no pieces, so that the books stay even: what is reserved of it is awaited. */
export const SCARCE = 'scarce';

export interface Traces {
  /** Placed from a cart, with a promotion. */
  orderId: string;
  /** It waits for pieces, and counts for the limit of the customer. */
  reservationId: string;
}

export async function leaveTraces(shop: Shop, customerId: string): Promise<Traces> {
  const { order, inventory } = shop;
  const profile = { displayName: customerId, email: `${customerId}@example.com`, locale: 'en' };
  made(await order.put(`/profiles/${customerId}`, profile));
  made(await order.put('/promotions/TEN', { kind: 'percent', percent: 10, maxUsesPerCustomer: 3 }));
  const [ordered, open] = [randomUUID(), randomUUID()];
  for (const id of [ordered, open]) {
    made(await order.put(`/carts/${id}`, { customerId, items: [{ sku: 'cup', quantity: 1 }] }));
    made(await order.put(`/carts/${id}/promotions/TEN`, undefined));
  }
  const placed = made(
    await order.post<Order>('/orders', { cartId: ordered, payment: { source: 'tok_ok' } }, randomUUID()),
  );
  await shop.settled(placed.body.id);

  // It may be there already, from another customer.
  const stocked = await inventory.put(`/stock/${SCARCE}`, { onHand: 0 }, { 'if-none-match': '*' });
  if (stocked.status !== 412) made(stocked);
  const known = { 'if-match': '*' };
  made(await inventory.put(`/stock/${SCARCE}/policy`, { backorderLimit: 100, customerLimit: 5 }, known));
  made(await inventory.put(`/stock/${SCARCE}/locations/attic`, { onHand: 0 }, known));
  const lines = [{ sku: SCARCE, quantity: 2 }];
  const reserved = made(await inventory.post<{ id: string }>('/reservations', { lines, customerId }, randomUUID()));
  made(await inventory.post(`/stock/${SCARCE}/repairs`, { reason: `${customerId} has called` }, randomUUID()));
  return { orderId: placed.body.id, reservationId: reserved.body.id };
}

function made<Body>(answer: ApiResponse<Body>): ApiResponse<Body> {
  if (answer.status >= 300) throw new Error(`${answer.status}: ${answer.text}`);
  return answer;
}
