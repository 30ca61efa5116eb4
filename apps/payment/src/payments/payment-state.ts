/**
 * What the provider shows of a charge, and what follows from it for our payment. Pure.
 *
 * A payment waits while it is `pending` and `waitsFor` somebody. From there it goes to one of its ends. An end is never
 * left for another one, whatever comes late: only money that has landed is given back.
 */
import type { Intent } from './intent';
import type { Payment } from './payment';

/** What decides about a payment, apart from the provider. */
export type Standing = Pick<Payment, 'status' | 'waitsFor' | 'nextActionUrl' | 'undone' | 'amount' | 'refunded'> &
  Partial<Pick<Payment, 'captured' | 'disputed'>> & {
    /** Its time to be approved is over, by the clock of the database. */
    isExpired: boolean;
  };

/** What is written about the payment. */
export type Change = Pick<Payment, 'status' | 'waitsFor' | 'nextActionUrl' | 'declineReason' | 'undone'> & {
  /** What was taken of money that is held, if the provider tells. */
  captured?: number;
  /** Until then the money is held, if the provider tells. */
  until?: string;
};

/** The reason of a payment that its saga has undone before any money moved. */
export const UNDONE = 'undone';
/** The reason of a payment that nobody approved in time. */
export const EXPIRED = 'expired';
/** The reason of a payment whose money was held and not taken in time. */
export const AUTHORIZATION_EXPIRED = 'authorization_expired';
/** The reason of a payment that was given up at the provider, and not by us. */
const CANCELLED_ELSEWHERE = 'cancelled_at_provider';

/** Whether the provider has to be asked what became of it. */
export const isWaiting = ({ status, waitsFor }: Pick<Payment, 'status' | 'waitsFor'>): boolean =>
  status === 'pending' && waitsFor !== null;

/** Nobody wants the money of this payment any more, and it is not taken yet. */
export const isToBeGivenUp = (payment: Standing): boolean =>
  (isWaiting(payment) || payment.status === 'authorized') && (payment.undone || payment.isExpired);

/** Money that came although nobody wants it any more. It is given back, or it was, and that is to be told. */
export const isUnwanted = ({ status, undone }: Pick<Standing, 'status' | 'undone'>): boolean =>
  status === 'succeeded' && undone;

/** A payment of which the provider has not told anything yet. */
export const begunPayment = (payment: Pick<Payment, 'amount' | 'undone'>): Standing => ({
  ...payment,
  status: 'pending',
  waitsFor: null,
  nextActionUrl: null,
  refunded: 0,
  isExpired: false,
});

/** Undefined when the intent tells nothing new. */
export function changeBy(payment: Standing, intent: Intent): Change | undefined {
  const change = endOf(payment, intent) ?? waitOf(payment, intent);
  const isNew =
    change?.status !== payment.status ||
    change.waitsFor !== payment.waitsFor ||
    change.nextActionUrl !== payment.nextActionUrl ||
    change.undone !== payment.undone;
  return isOpen(payment) && isNew ? change : undefined;
}

const isOpen = ({ status }: Standing): boolean => status === 'pending' || status === 'authorized';

function endOf({ status, undone, isExpired }: Standing, intent: Intent): Change | undefined {
  const end = { waitsFor: null, nextActionUrl: null, declineReason: null, undone };
  switch (intent.status) {
    case 'succeeded':
      return { ...end, status: 'succeeded', captured: intent.captured };
    case 'authorized':
      return { ...end, status: 'authorized', captured: intent.captured, until: intent.until };
    case 'declined':
      return { ...end, status: 'declined', declineReason: intent.reason };
    case 'cancelled': {
      // What was taken before stays taken. Only the rest is free again.
      if (intent.captured) return { ...end, status: 'succeeded', captured: intent.captured };
      const expired = status === 'authorized' ? AUTHORIZATION_EXPIRED : EXPIRED;
      const declineReason = undone ? UNDONE : isExpired ? expired : CANCELLED_ELSEWHERE;
      return { ...end, status: 'cancelled', declineReason };
    }
    default:
      return undefined;
  }
}

function waitOf({ status, undone, isExpired }: Standing, intent: Intent): Change | undefined {
  // It was authorized, so this was seen before that.
  if (status === 'authorized') return undefined;
  const wait = { status: 'pending' as const, declineReason: null, undone };
  if (intent.status === 'requires_action') return { ...wait, waitsFor: 'customer', nextActionUrl: intent.url };
  if (intent.status !== 'processing') return undefined;
  // It cannot be given up now. If the money lands after its time, it is given back.
  return { ...wait, waitsFor: 'provider', nextActionUrl: null, undone: undone || isExpired };
}
