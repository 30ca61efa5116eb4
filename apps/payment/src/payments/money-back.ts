/**
 * The one guard over all money that goes back. Pure.
 *
 * What was taken is at least what was given back, what is promised to go back, and what disputes hold or have taken.
 * Everybody who gives money back asks `leftOf` first, while the row of the payment is locked: a request over HTTP, the
 * undo of a saga, and whoever finds money that nobody wants. A dispute does not ask. Its bank has taken the money
 * already, so it is only counted, and then there may be less than nothing left.
 */
export interface Books {
  /** Of the payment. */
  status: string;
  /** What was wanted, or is held. */
  amount: number;
  /** Null or absent if the money was not held first. */
  captured?: number | null;
  /** What the provider has accepted to give back. */
  refunded: number;
  /** Open and lost disputes. */
  disputed?: number;
  /** Refunds that were begun, and of which the provider has told nothing yet. */
  promised?: number;
}

/** What was taken from the customer. */
export function takenOf({ status, amount, captured }: Pick<Books, 'status' | 'amount' | 'captured'>): number {
  if (status === 'succeeded') return captured ?? amount;
  return status === 'authorized' ? (captured ?? 0) : 0;
}

const goneOf = ({ refunded, disputed = 0, promised = 0 }: Books): number => refunded + disputed + promised;

/**
 * How much may still go back. While a part of the money is only held, nothing: the provider gives back what is taken for
 * good, and the rest is released instead.
 */
export const leftOf = (books: Books): number =>
  books.status === 'succeeded' ? Math.max(0, takenOf(books) - goneOf(books)) : 0;

/** More has gone than was taken. Only a dispute can do that, and then a person has to look. */
export const isOverdrawn = (books: Books): boolean => goneOf(books) > takenOf(books);
