/**
 * What the provider shows of a charge, and what follows from it for our payment. Pure.
 *
 * A payment waits while it is `pending` and `waitsFor` somebody. From there it goes to one of its ends. An end is never
 * left for another one, whatever comes late: only money that has landed is given back.
 */
import type { Intent } from './intent';
import type { Payment } from './payment';

/** What decides about a payment, apart from the provider. */
export type Standing = Pick<Payment, 'status' | 'waitsFor' | 'undone' | 'amount' | 'refunded'> & {
  /** Its time to be approved is over, by the clock of the database. */
  isExpired: boolean;
};

/** What is written about the payment. */
export type Change = Pick<Payment, 'status' | 'waitsFor' | 'nextActionUrl' | 'declineReason' | 'undone'>;

/** The reason of a payment that its saga has undone before any money moved. */
export const UNDONE = 'undone';
/** The reason of a payment that nobody approved in time. */
export const EXPIRED = 'expired';
/** The reason of a payment that was given up at the provider, and not by us. */
const CANCELLED_ELSEWHERE = 'cancelled_at_provider';

/** Whether the provider has to be asked what became of it. */
export const isWaiting = ({ status, waitsFor }: Pick<Payment, 'status' | 'waitsFor'>): boolean =>
  status === 'pending' && waitsFor !== null;

/** Nobody wants the money of this payment any more, and it is not taken yet. */
export const isToBeGivenUp = (payment: Standing): boolean =>
  (isWaiting(payment) && (payment.undone || payment.isExpired)) || (payment.status === 'authorized' && payment.undone);

/** Money that came although nobody wants it any more. */
export const isToBeGivenBack = ({ status, undone, refunded, amount }: Omit<Standing, 'isExpired'>): boolean =>
  status === 'succeeded' && undone && refunded < amount;

/** A payment of which the provider has not told anything yet. */
export const begunPayment = (payment: Pick<Payment, 'amount' | 'undone'>): Standing => ({
  ...payment,
  status: 'pending',
  waitsFor: null,
  refunded: 0,
  isExpired: false,
});

/** Undefined when the intent tells nothing new. */
export function changeBy(payment: Standing, intent: Intent): Change | undefined {
  const { status, undone, isExpired } = payment;
  if (status !== 'pending' && status !== 'authorized') return undefined;
  const ended = { waitsFor: null, nextActionUrl: null, declineReason: null, undone };
  switch (intent.status) {
    case 'succeeded':
      return { ...ended, status: 'succeeded' };
    case 'cancelled':
      return {
        ...ended,
        status: 'cancelled',
        declineReason: undone ? UNDONE : isExpired ? EXPIRED : CANCELLED_ELSEWHERE,
      };
    case 'declined':
      return { ...ended, status: 'declined', declineReason: intent.reason };
    case 'authorized':
      return status === 'authorized' ? undefined : { ...ended, status: 'authorized' };
    case 'requires_action':
      if (status === 'authorized') return undefined;
      return { ...ended, status: 'pending', waitsFor: 'customer', nextActionUrl: intent.url };
    case 'processing':
      if (status === 'authorized') return undefined;
      // It cannot be given up now. If the money lands after all, it is given back.
      return { ...ended, status: 'pending', waitsFor: 'provider', undone: undone || isExpired };
    case 'unconfirmed':
      return undefined;
  }
}
