/** The rules about the ways that rows may go; and about reservations, uses of promotions and carts: who has them at the end. */
import type { Client } from './client';
import type { OrderRecord, Records } from './records';
import type { StepRecord } from './records-shop';

/** The steps that a row may take, by the status that it leaves. `none`: it is made. */
const STEPS: Record<string, Record<string, string[]>> = {
  reservation: {
    // One batch may have both the command to reserve and its undo.
    none: ['open', 'released'],
    open: ['confirmed', 'released', 'expired', 'taken'],
    confirmed: ['restocked'],
  },
  promotion_use: { none: ['taken'], taken: ['confirmed', 'returned'], confirmed: ['returned'] },
  cart: { none: ['open'], open: ['ordered'] },
  delivery: {
    none: ['waiting', 'stopped', 'elsewhere'],
    waiting: ['handing_over', 'stopped'],
    // Nobody was asked.
    handing_over: ['waiting', 'handed_over', 'delivered', 'parked', 'stopped', 'recalled'],
    parked: ['handed_over', 'delivered', 'stopped', 'recalled'],
    handed_over: ['delivered', 'recalled'],
    // A request to take it arrived behind the stop.
    stopped: ['recalled', 'handed_over', 'delivered'],
  },
  notification: {
    none: ['queued', 'suppressed'],
    queued: ['sending', 'sent', 'parked', 'suppressed'],
    // With at-most-once, the server has said that it did not take it.
    sending: ['sent', 'parked', 'queued'],
  },
};

/** So nothing is both expired and sold, given back twice, ordered twice, or sent again when it has arrived. */
export function eachStepIsTakenOnce({ shop, after }: Records): string[] {
  const steps = [...shop.steps, ...after.steps];
  const isAllowed = ({ thing, was, is_now }: StepRecord) => STEPS[thing]![was ?? 'none']?.includes(is_now) ?? false;
  const strange = steps.filter((step) => !isAllowed(step));
  return strange.map(
    ({ thing, id, was, is_now }) => `a step is taken once: ${thing} ${id} goes from ${was} to ${is_now}`,
  );
}

/** An order takes its client's reservation over, or it is cancelled; two never take the same one. */
export function eachTakenReservationHasOneTaker({ orders, shop: { reservations } }: Records): string[] {
  const rule = 'a reservation has one taker';
  const taken = reservations.filter(({ status }) => status === 'taken');
  const takers = taken.map(({ taken_by }) => taken_by);
  return [
    ...taken
      .filter(({ taken_by }) => !reservations.some(({ id }) => id === taken_by))
      .map(({ id, taken_by }) => `${rule}: ${id} was taken by ${taken_by}, which is not there`),
    ...takers
      .filter((taker, index) => takers.indexOf(taker) !== index)
      .map((taker) => `${rule}: ${taker} has taken two`),
    ...orders
      .filter(({ status, reservation_id }) => reservation_id !== null && status === 'confirmed')
      .filter(
        ({ saga_id, reservation_id }) => !taken.some((one) => one.id === reservation_id && one.taken_by === saga_id),
      )
      .map(({ id, reservation_id }) => `${rule}: ${id} is confirmed and has not taken ${reservation_id}`),
  ];
}

/** What a client has given back, and was told so, no order has. */
export function givenBackStaysGivenBack({ name, reserver }: Client, { shop: { reservations } }: Records): string[] {
  if (!reserver?.isGivenBack) return [];
  const status = reservations.find(({ id }) => id === reserver.id)?.status;
  const ends = ['released', 'expired'];
  return status === undefined || ends.includes(status)
    ? []
    : [`given back stays given back: that of ${name} is ${status}`];
}

/** The pieces of an order are sold by the reservation of its saga, and by nothing else. */
export function confirmedOrdersHaveTheirPieces({ orders, shop: { reservations } }: Records): string[] {
  const statusOf = (sagaId: string) => reservations.find(({ id }) => id === sagaId)?.status;
  const sold = reservations.filter(({ status }) => status === 'confirmed');
  return [
    ...orders
      .filter(({ status, saga_id }) => status === 'confirmed' && statusOf(saga_id) !== 'confirmed')
      .map(({ id, saga_id }) => `confirmed orders have their pieces: those of ${id} are ${statusOf(saga_id)}`),
    ...sold
      .filter(
        ({ id }) => !orders.some((order) => order.saga_id === id && ['confirmed', 'cancelling'].includes(order.status)),
      )
      .map(({ id }) => `confirmed orders have their pieces: ${id} is sold to nobody`),
  ];
}

export function usesAreCounted({ shop: { promotions, uses } }: Records): string[] {
  return promotions.flatMap(({ code, used, max_uses, max_uses_per_customer }) => {
    const kept = uses.filter((use) => use.code === code && use.status !== 'returned');
    const faults: string[] = [];
    if (used !== kept.length) faults.push(`uses are counted: ${code} says ${used}, of ${kept.length}`);
    if (max_uses !== null && kept.length > max_uses)
      faults.push(`promotions have limits: ${code} has ${kept.length} uses of ${max_uses}`);
    const most = Math.max(0, ...kept.map(({ customer }) => kept.filter((use) => use.customer === customer).length));
    if (max_uses_per_customer !== null && most > max_uses_per_customer)
      faults.push(`promotions have limits: one customer has ${most} uses of ${code}`);
    return faults;
  });
}

/** Parked orders are left out: theirs may be on the way. */
export function usesFollowOrders({ id, status, promotions }: OrderRecord, { shop: { uses } }: Records): string[] {
  const expected = status === 'confirmed' ? 'confirmed' : 'returned';
  const own = uses.filter(({ order_id }) => order_id === id);
  const wrong = own.filter((use) => use.status !== expected);
  const missing = (promotions ?? []).filter(({ code }) => !own.some((use) => use.code === code));
  return [
    ...wrong.map((use) => `uses follow orders: ${use.code} of ${id}, ${status}, is ${use.status}`),
    ...missing.map(({ code }) => `uses follow orders: ${id} has no use of its promotion ${code}`),
    ...(own.length > (promotions ?? []).length ? [`uses follow orders: ${id} uses what it does not name`] : []),
  ];
}

export function cartsAreOrderedOnce({ orders, shop: { carts } }: Records): string[] {
  return carts.flatMap(({ id, status, order_id }) => {
    const own = orders.filter(({ cart_id }) => cart_id === id);
    if (own.length > 1) return [`a cart is ordered once: ${id} became ${own.length} orders`];
    const agree = own.length === 0 ? status === 'open' : status === 'ordered' && order_id === own[0]!.id;
    return agree
      ? []
      : [`a cart is ordered once: ${id} is ${status} as ${order_id}, and there are ${own.length} orders`];
  });
}
