/** What the saga of a payment is told about its charge, and about the undo of it. Pure. */
import { refused, succeeded, waiting } from '@shop/participant';
import type { Reply } from '@shop/messaging';
import type { Payment } from './payment';
import { leftOf } from './money-back';
import { EXPIRED, isWaiting, UNDONE } from './payment-state';

type Told = Pick<Payment, 'id' | 'status' | 'declineReason' | 'undone' | 'waitsFor' | 'nextActionUrl' | 'expiresAt'>;
type Amounts = Pick<Payment, 'amount' | 'captured' | 'refunded' | 'disputed'>;

/** Undefined while nobody has asked the provider for the money, or its answer was lost. */
export function replyToCharge(payment: Told): Reply | undefined {
  const { id, status, declineReason, undone, waitsFor } = payment;
  switch (status) {
    case 'succeeded':
      return succeeded({ paymentId: id });
    case 'authorized':
      return succeeded({ paymentId: id, status });
    case 'declined':
      return refused('payment_declined');
    case 'cancelled':
      if (declineReason === UNDONE) return refused('undone');
      return refused(declineReason === EXPIRED ? 'payment_expired' : 'payment_declined');
    case 'pending':
      if (waitsFor === null) return undefined;
      // The bank may still take the money. Then it is given back.
      return undone ? refused('payment_expired') : waiting(waitOf(payment));
  }
}

/** For a payment of which nothing is left to give back. A dispute holds the rest, or has taken it. */
export const replyToRefund = ({ id: paymentId, disputed }: Pick<Payment, 'id' | 'disputed'>): Reply =>
  succeeded({ result: disputed > 0 ? 'disputed' : 'refunded', paymentId });

function waitOf({ waitsFor, nextActionUrl, expiresAt }: Told) {
  const until = expiresAt!;
  return waitsFor === 'customer'
    ? { until, for: 'customer' as const, action: { type: 'redirect' as const, url: nextActionUrl!, expiresAt: until } }
    : { until, for: 'provider' as const };
}

/** For a payment that was given up. Undefined while the provider might still ask the customer for the money. */
export function replyToGivingUp(payment: Told & Amounts): Reply | undefined {
  const { id: paymentId, status, captured } = payment;
  switch (status) {
    case 'cancelled':
      return captured === null ? succeeded({ result: 'never_charged' }) : succeeded({ result: 'voided', paymentId });
    case 'declined':
      return succeeded({ result: 'nothing_to_refund', paymentId });
    case 'succeeded':
      return leftOf(payment) === 0 ? replyToRefund(payment) : undefined;
    case 'pending':
      return isWaiting(payment) && payment.waitsFor === 'provider'
        ? succeeded({ result: 'refunded_when_it_lands', paymentId })
        : undefined;
    case 'authorized':
      return undefined;
  }
}
