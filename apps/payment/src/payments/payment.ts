/** A payment: the request, what a charge or refund command has to do, and the JSON that operators see. Pure. */
import { createHash } from 'node:crypto';
import { ApiProperty } from '@nestjs/swagger';
import { CURRENCY } from '@shop/contracts';
import { etagOf } from '@shop/http';
import { type Answer, answerWith, type Entry, refusalOf } from '@shop/idempotency';
import { IsText, Problem } from '@shop/problem';
import { IsInt, Matches, Max, Min } from 'class-validator';

/** Minor units. The provider takes eight digits in one charge. */
export const MAX_AMOUNT = 99_999_999;
/** Characters of a provider's token. */
const MAX_SOURCE_LENGTH = 200;
/** `pmt_` and the letters of a hash. */
export const PAYMENT_ID = /^pmt_[\w-]{1,60}$/;
/** Enough of a hash that two never meet. */
const ID_LENGTH = 27;

export class PaymentBody {
  @ApiProperty({ description: 'minor units of the currency', example: 4_200 })
  @IsInt()
  @Min(1)
  @Max(MAX_AMOUNT)
  amount: number;

  @ApiProperty({ description: 'ISO 4217', example: 'USD' })
  @Matches(CURRENCY, { message: 'currency must be three capital letters, as in ISO 4217' })
  currency: string;

  @ApiProperty({ description: "the payment provider's token", example: 'tok_ok' })
  @IsText(MAX_SOURCE_LENGTH)
  source: string;
}

export interface Payment {
  tenant: string;
  id: string;
  orderId: string | null;
  amount: number;
  currency: string;
  source: string;
  status: 'pending' | 'succeeded' | 'declined';
  declineReason: string | null;
  providerReference: string | null;
  refunded: number;
  version: number;
  createdAt: string;
}

/** Derived from the command or the claim, so that one makes one payment even when the ledger has forgotten it. */
export const paymentIdOf = (chargeId: string): string => idAfter('pmt', chargeId);

/** An id that follows from the name of what made the row. */
export function idAfter(prefix: string, name: string): string {
  return `${prefix}_${createHash('sha256').update(name).digest('base64url').slice(0, ID_LENGTH)}`;
}

/** @throws Problem 404 for what cannot be the id of a payment */
export function checkPaymentId(id: string): string {
  if (!PAYMENT_ID.test(id)) throw paymentNotFound();
  return id;
}

export const paymentNotFound = () => new Problem(404, 'payment_not_found', 'there is no payment with this id');

/** What to do for a refund, given what the ledger knows of its charge. */
export type RefundPlan =
  /** It never arrived: nothing to give back, and it must be refused if it still comes. */
  | 'bar-charge'
  /** It was declined, barred or given back already. */
  | 'nothing-to-refund'
  /** Its outcome is not known, and somebody else is on it: nobody may say that there was none. */
  | 'wait-for-charge'
  /** Nobody is on it any more: find out first. */
  | 'resolve-charge'
  | 'refund';

export function planRefund(charge: Entry | undefined, payment: Payment | undefined): RefundPlan {
  if (!charge && !payment) return 'bar-charge';
  if (charge?.status === 'pending') return charge.leaseExpired && payment ? 'resolve-charge' : 'wait-for-charge';
  if (payment?.status === 'pending') return 'wait-for-charge';
  return payment?.status === 'succeeded' && payment.refunded < payment.amount ? 'refund' : 'nothing-to-refund';
}

/** Without the source: it is the provider's token for somebody's card. */
export function paymentJson({ tenant: _tenant, source: _source, ...seen }: Payment) {
  return seen;
}

/** What `POST /payments` answers for a payment whose outcome is known. */
export function answerOfPayment(payment: Payment): Answer {
  const { id, declineReason, version } = payment;
  const location = `/payments/${id}`;
  if (payment.status === 'succeeded') {
    return answerWith(201, paymentJson(payment), { location, etag: etagOf(version) });
  }
  return refusalOf(
    new Problem(402, 'payment_declined', 'the payment was declined, and no money was taken', {
      extensions: { reason: declineReason, paymentId: id, statusUrl: location },
    }),
  );
}
