/** Lists as Stripe pages them: newest first, `limit` at a time, starting after the last id of the page before. */
import { invalidParameter, missing } from './stripe-error';

export interface PageQuery {
  limit?: string;
  starting_after?: string;
}

export interface Page<T> {
  object: 'list';
  url: string;
  data: T[];
  has_more: boolean;
}

/** Stripe's own limits. */
const DEFAULT_LIMIT = 10;
const MAX_LIMIT = 100;

/** @param items oldest first. */
export function pageOf<T extends { id: string }>(items: readonly T[], query: PageQuery, url: string): Page<T> {
  const after = query.starting_after;
  const end = after === undefined ? items.length : items.findLastIndex(({ id }) => id === after);
  if (end < 0) throw missing('object', String(after), { status: 400, param: 'starting_after' });
  const start = Math.max(0, end - limitOf(query.limit));
  return { object: 'list', url, data: items.slice(start, end).reverse(), has_more: start > 0 };
}

function limitOf(value: string | undefined): number {
  if (value === undefined) return DEFAULT_LIMIT;
  const limit = Number(value);
  if (/^\d{1,3}$/.test(value) && limit >= 1 && limit <= MAX_LIMIT) return limit;
  throw invalidParameter('limit', `Invalid integer: ${value}. A page has 1 to ${MAX_LIMIT} objects.`);
}
