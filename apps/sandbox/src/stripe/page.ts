/** Lists as Stripe pages them: newest first, `limit` at a time, starting after the last id of the page before. */
import { invalidParameter, missing } from './stripe-error';

export interface PageQuery {
  limit?: string;
  starting_after?: string;
  /** Seconds since 1970, from and up to. */
  'created[gte]'?: string;
  'created[gt]'?: string;
  'created[lte]'?: string;
  'created[lt]'?: string;
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
export function pageOf<T extends { id: string; created: number }>(
  all: readonly T[],
  query: PageQuery,
  url: string,
): Page<T> {
  const after = query.starting_after;
  const items = all.filter(within(query));
  const end = after === undefined ? items.length : items.findLastIndex(({ id }) => id === after);
  if (end < 0) throw missing('object', String(after), { status: 400, param: 'starting_after' });
  const start = Math.max(0, end - limitOf(query.limit));
  return { object: 'list', url, data: items.slice(start, end).reverse(), has_more: start > 0 };
}

function within(query: PageQuery): (item: { created: number }) => boolean {
  const from = Math.max(secondsOf(query, 'created[gte]') ?? 0, (secondsOf(query, 'created[gt]') ?? -1) + 1);
  const to = Math.min(secondsOf(query, 'created[lte]') ?? Infinity, (secondsOf(query, 'created[lt]') ?? Infinity) - 1);
  return ({ created }) => created >= from && created <= to;
}

function secondsOf(query: PageQuery, name: Exclude<keyof PageQuery, 'limit' | 'starting_after'>): number | undefined {
  const value = query[name];
  if (value === undefined) return undefined;
  if (/^\d{1,12}$/.test(value)) return Number(value);
  throw invalidParameter('created', `Invalid timestamp: ${value}`);
}

function limitOf(value: string | undefined): number {
  if (value === undefined) return DEFAULT_LIMIT;
  const limit = Number(value);
  if (/^\d{1,3}$/.test(value) && limit >= 1 && limit <= MAX_LIMIT) return limit;
  throw invalidParameter('limit', `Invalid integer: ${value}. A page has 1 to ${MAX_LIMIT} objects.`);
}
