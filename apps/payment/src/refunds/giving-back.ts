/**
 * The three steps of every refund, whoever wants it.
 *
 * It is promised while the payment is locked, so that the guard counts it. Then the provider is asked, outside of any
 * transaction. Then the answer is written, and the payment counts what was accepted.
 */
import assert from 'node:assert/strict';
import type { Tx } from '@shop/postgres';
import { leftOf } from '../payments/money-back';
import type { Payment } from '../payments/payment';
import { addRefunded, lockPayment, type PaymentKey } from '../payments/payments.repository';
import type { ProviderCalls, RefundResult } from '../payments/provider-calls';
import type { Asking } from '../payments/provider-door';
import { markUnwanted } from '../payments/waiting-payments.repository';
import type { Refund, RefundCause } from './refund';
import { tellRefunded, type Wakes } from './refund-news';
import {
  answerRefund,
  createRefund,
  findRefund,
  findRefundAgeMs,
  findUnfinished,
  type RefundKey,
  sumPromises,
} from './refunds.repository';

/** What is needed to ask the provider for a refund. */
export interface Promised extends RefundKey {
  paymentId: string;
  amount: number;
  currency: string;
  /** The provider's name for the charge. */
  reference: string;
  /** The age of the refund when this was read. */
  ageMs: number;
  /** Somebody may have asked the provider already. */
  isKnown: boolean;
}

export const promisedOf = (payment: Payment, { id, amount }: Pick<Refund, 'id' | 'amount'>): Promised => ({
  tenant: payment.tenant,
  id,
  paymentId: payment.id,
  amount,
  currency: payment.currency,
  reference: payment.providerReference!,
  ageMs: 0,
  isKnown: false,
});

/**
 * Promises to give back what is left of a payment, under this id. Undefined if nothing is left, or if the refund is
 * answered already.
 */
export async function promiseRest(
  tx: Tx,
  key: PaymentKey,
  { id, cause }: { id: string; cause: RefundCause },
): Promise<Promised | undefined> {
  // These are sent together and run in this order, so the others are read under the lock.
  const [payment, { promised }, known] = await Promise.all([
    lockPayment(tx, key),
    sumPromises(tx, key.tenant, key.id),
    findRefund(tx, { tenant: key.tenant, id }),
  ]);
  assert(payment, 'whoever gives money back has seen the payment');
  // A dispute that is won later brings back money that nobody wants.
  if (cause === 'saga') markUnwanted(tx, key);
  if (known?.status === 'pending' && known.providerReference === null) return resumed(tx, payment, known);
  if (known && (known.status !== 'failed' || known.providerReference !== null)) return undefined;
  const amount = leftOf({ ...payment, promised });
  if (amount === 0) return undefined;
  createRefund(tx, { tenant: key.tenant, id, paymentId: key.id, amount, cause });
  return promisedOf(payment, { id, amount });
}

/**
 * The same for money that landed although nobody wants it. Its refund has no command, so it is named by its place among
 * the refunds of the payment, and whoever comes next goes on with it.
 */
export async function promiseLanded(tx: Tx, key: PaymentKey, idOf: (place: number) => string) {
  const [payment, { count }, unfinished] = await Promise.all([
    lockPayment(tx, key),
    sumPromises(tx, key.tenant, key.id),
    findUnfinished(tx, key.tenant, key.id),
  ]);
  if (unfinished) return resumed(tx, payment!, unfinished);
  return promiseRest(tx, key, { id: idOf(count), cause: 'landed' });
}

async function resumed(tx: Tx, payment: Payment, refund: Refund): Promise<Promised> {
  return { ...promisedOf(payment, refund), ageMs: await findRefundAgeMs(tx, refund), isKnown: true };
}

/** @throws RetryableError when the outcome is unknown */
export function askFor(
  calls: ProviderCalls,
  { reference, amount, currency, ageMs, isKnown }: Promised,
  asking: Asking & { idempotencyKey: string; askedBefore: boolean; ageMs: number },
): Promise<RefundResult> {
  return calls.refund(
    { idempotencyKey: asking.idempotencyKey, reference, amount, currency },
    { ...asking, askedBefore: asking.askedBefore || isKnown, ageMs: ageMs + asking.ageMs },
  );
}

/** Writes the provider's answer, and tells of money that is back at once. Undefined if somebody else has written it. */
export async function recordAnswer(
  tx: Tx,
  { tenant, paymentId, id }: Pick<Promised, 'tenant' | 'paymentId' | 'id'>,
  result: RefundResult,
  relay: Wakes,
): Promise<Refund | undefined> {
  const key = { tenant, id: paymentId };
  const shown = result.outcome === 'succeeded' ? { reference: result.reference, status: result.status } : null;
  // The lock comes first, as everywhere: nobody else waits for it while holding the row of the refund.
  const [payment, refund] = await Promise.all([lockPayment(tx, key), answerRefund(tx, { tenant, id }, shown)]);
  if (refund && shown) addRefunded(tx, key, refund.amount);
  if (payment && refund?.status === 'succeeded') tellRefunded(tx, payment, refund, relay);
  return refund;
}
