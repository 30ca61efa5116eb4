/** The rules about money: what the provider has taken, what our books say of it, and what the orders are. */
import type { OrderRecord, PaymentRecord, Records } from './records';
import type { SimulatedProvider } from './simulated-provider';
import type { Witness } from './witness';

type Books = SimulatedProvider['books'];

export function moneyFollowsOrders(order: OrderRecord, { payments }: Records, books: Books): string[] {
  const own = payments.filter(({ order_id }) => order_id === order.id);
  const paid = [...books.intents.values()].filter(
    ({ idempotencyKey, intent }) =>
      intent.status === 'succeeded' && idempotencyKey.startsWith(`${order.saga_id}/charge/do`),
  );
  if (own.length > 1 || paid.length > 1)
    return [`an order is charged once: ${order.id} was charged ${paid.length} times`];
  const kept = own.reduce((sum, { id }) => sum + books.taken(id), 0);
  const expected = order.status === 'confirmed' ? order.total_amount : 0;
  if (kept !== expected) return [`money follows orders: of ${order.id}, ${order.status}, ${kept} is kept`];
  return own.flatMap((payment) => booksAgree(payment, books));
}

function booksAgree({ id, status, amount, refunded, provider_reference }: PaymentRecord, books: Books): string[] {
  const booked = status === 'succeeded' ? amount - refunded : 0;
  const kept = books.taken(id);
  if (booked !== kept) return [`our books are the provider's: of ${id} we have ${booked}, they ${kept}`];
  const nameless = books
    .intentsOf(id)
    .filter(({ intent }) => intent.status !== 'unconfirmed' && intent.reference !== provider_reference);
  if (nameless.length > 0) return [`what was confirmed has a name: ${id} is ${provider_reference} in our books`];
  const theirs = provider_reference === null ? undefined : books.intents.get(provider_reference)?.intent.status;
  const agree = theirs === status || (status === 'declined' && theirs !== 'succeeded');
  return agree || theirs === undefined ? [] : [`our books are the provider's: ${id} is ${status}, there ${theirs}`];
}

/** By now every bank has decided, and nobody can approve any more what was not approved in its time. */
export function nothingIsLeftOpen({ payments }: Records, books: Books): string[] {
  const open = ['requires_action', 'processing', 'authorized'];
  return payments.flatMap(({ id }) =>
    books
      .intentsOf(id)
      .filter(({ intent }) => open.includes(intent.status))
      .map(({ intent }) => `no intent is left open: that of ${id} is ${intent.status}`),
  );
}

/** Whoever knows that a charge is undone, or could know it, does not ask for its money. */
export function noChargeIsMadeByAnUndo({ chargedByUndo }: Witness): string[] {
  return [...chargedByUndo].map((charge) => `no charge is made by an undo: ${charge} was undone before`);
}

export function chargesHaveOrders({ orders }: Records, books: Books): string[] {
  const sagas = new Set(orders.map(({ saga_id }) => saga_id));
  const strange = [...books.intents.values()].filter(({ idempotencyKey }) => !sagas.has(idempotencyKey.split('/')[0]!));
  return strange.map(({ idempotencyKey }) => `charges have orders: nobody placed ${idempotencyKey}`);
}
