/** Refunds and disputes of Stripe in our own words. Pure. */
import { amountOfProvider } from '@shop/contracts';
import { RetryableError } from '@shop/resilience';
import type Stripe from 'stripe';
import type { RefundState, ShownDispute, ShownRefund } from './provider';

/** A refund ends so when the bank does not take it. The money is ours again. */
export const isTurnedDown = (status: string | null): boolean => status === 'failed' || status === 'canceled';

/** @throws RetryableError for an answer that tells nothing */
export function refundOf({ id: reference, status }: Pick<Stripe.Refund, 'id' | 'status'>): ShownRefund {
  return { reference, status: stateOf(reference, status) };
}

function stateOf(reference: string, status: string | null): RefundState {
  if (isTurnedDown(status)) return 'failed';
  if (status === 'succeeded') return 'succeeded';
  if (status === 'pending' || status === 'requires_action') return 'pending';
  throw new RetryableError(`the refund ${reference} is ${String(status)}`);
}

/** In characters. The text comes from the provider. */
const MAX_REASON_LENGTH = 100;

type Shown = Pick<Stripe.Dispute, 'id' | 'status' | 'amount' | 'currency' | 'reason' | 'created'>;
type Disputed = Pick<Stripe.PaymentIntent, 'id' | 'metadata'>;

/** @param intent what it is about, if that is a PaymentIntent */
export function disputeOf(shown: Shown, intent: Disputed | undefined): ShownDispute {
  const { tenant, paymentId } = intent?.metadata ?? {};
  const currency = shown.currency.toUpperCase();
  return {
    id: shown.id,
    status: disputeStatusOf(shown.status),
    amount: amountOfProvider(shown.amount, currency),
    currency,
    reason: [...shown.reason].slice(0, MAX_REASON_LENGTH).join(''),
    openedAt: new Date(shown.created * 1_000).toISOString(),
    payment: intent && tenant && paymentId ? { tenant, id: paymentId, reference: intent.id } : undefined,
  };
}

/** A bank that only asks (`warning_…`), or whose question was answered in time, takes no money. */
function disputeStatusOf(status: string): ShownDispute['status'] {
  if (status.startsWith('warning_') || status === 'prevented') return 'inquiry';
  return status === 'won' || status === 'lost' ? status : 'open';
}
