/** The charges that took money, as a person would see them at the provider. */
import type { Books } from './books';

export interface ChargeRecord {
  /** Of the intent. */
  id: string;
  /** What was asked for. */
  amount: number;
  /** What was taken. */
  captured: number;
  currency: string;
  metadata: Record<string, string>;
  /** Of the request that has made the intent. */
  idempotencyKey: string | null;
  /** Without refunds that have failed. */
  refunded: number;
  /** Whether there is or was a dispute. */
  disputed: boolean;
  status: 'succeeded';
}

/** Oldest first. An intent that only holds money, or has ended without any, is no charge. */
export function chargesOf(books: Books): ChargeRecord[] {
  return books.intents.all().flatMap(({ id, amount, amount_received, currency, metadata, latest_charge }) => {
    if (amount_received === 0) return [];
    const idempotencyKey = books.firstCallOf(id)?.key ?? null;
    const { amount_refunded: refunded = 0, disputed = false } = books.charges.find(latest_charge ?? '') ?? {};
    const status = 'succeeded';
    return [{ id, amount, captured: amount_received, currency, metadata, idempotencyKey, refunded, disputed, status }];
  });
}
