/** The rules about what clients are told: the same again, and the truth. */
import type { Asking } from './asking';
import type { Client } from './client';
import type { Keeper } from './keeper';
import type { Records } from './records';

/** An order can be refused only for its cart and what is in it. */
const OF_CARTS = ['already_submitted', 'promotion_used_up', 'promotion_not_applicable', 'promotion_expired'];

export function repeatsGetTheFirstAnswer(client: Client, { orders }: Records): string[] {
  const { name, order, reserver, purchase } = client;
  const placed = orders.filter(({ placed_by }) => placed_by === name);
  const expected = order.accepted ? 1 : 0;
  if (placed.length !== expected) return [`one key is one order: ${name} has ${placed.length}, of ${expected}`];
  const strange = order.accepted ?? refusals(order).every((code) => purchase.cart && OF_CARTS.includes(code));
  if (!strange) return [`one key is one order: ${name} has none, and was told ${order.answers[0]}`];
  return [
    ...changedAnswers(name, order, purchase.namesIt),
    ...(reserver ? changedAnswers(name, reserver.request, purchase.reserves!.namesIt) : []),
    ...loserIsToldOfTheOrder(client, orders),
  ];
}

/** A PUT that is refused uses up no key, so it may be accepted later, once. */
function changedAnswers(name: string, { answers, accepted }: Asking, isPut: boolean): string[] {
  const rule = 'repeats get the first answer';
  const kept = isPut ? answers.slice(accepted ? answers.indexOf(accepted) : answers.length) : answers;
  const other = kept.find((answer) => answer !== kept[0]);
  return other === undefined ? [] : [`${rule}: ${name} was told ${kept[0]}, then ${other}`];
}

/** Whoever comes second for a cart is told which order it has become. */
function loserIsToldOfTheOrder({ name, order, purchase }: Client, orders: Records['orders']): string[] {
  const url = order.answers.map((answer) => /"statusUrl":"\/orders\/([^"]+)"/.exec(answer)?.[1]).find(Boolean);
  if (url === undefined || orders.some(({ id, cart_id }) => id === url && cart_id === purchase.cart)) return [];
  return [`the second learns of the first: ${name} was sent to ${url}`];
}

export function keepersAreAnswered({ arrival, request }: Keeper): string[] {
  const { accepted, answers } = request;
  if (accepted && answers.every((answer) => answer === accepted)) return [];
  return [`an arrival is booked once: ${arrival.name} was told ${answers.join(', then ') || 'nothing'}`];
}

const refusals = ({ answers }: Asking): string[] =>
  answers.map((answer) => /"code":"([a-z_]+)"/.exec(answer)?.[1] ?? answer);
