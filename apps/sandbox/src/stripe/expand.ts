/** Answers with whole objects where there is only their id, as `expand[]` asks for. */
import type { Books } from './books';
import { invalidParameter } from './stripe-error';

/** Stripe's own limit. */
const MAX_DEPTH = 4;
const REFERENCES = [
  'latest_charge',
  'charge',
  'payment_intent',
  'balance_transaction',
  'source',
  'failure_balance_transaction',
];

/** @throws StripeError 400 for what cannot be expanded. */
export function expand(body: object, paths: readonly string[], books: Books): object {
  return paths.reduce((expanded, path) => expandOne(expanded, path.split('.'), books), body);
}

function expandOne(body: object, [first, ...rest]: string[], books: Books): object {
  if (first === 'data' && 'data' in body && Array.isArray(body.data)) {
    return { ...body, data: body.data.map((each: object) => expandOne(each, rest, books)) };
  }
  if (first === undefined) return body;
  if (!REFERENCES.includes(first) || rest.length >= MAX_DEPTH) {
    throw invalidParameter('expand', `This property cannot be expanded (${first}).`);
  }
  const value = (body as Record<string, unknown>)[first];
  const found = typeof value === 'string' ? books.find(value) : value;
  if (typeof found !== 'object' || found === null) return body;
  return { ...body, [first]: expandOne(found, rest, books) };
}
