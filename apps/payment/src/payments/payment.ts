/** A payment: the request, and what a charge or refund command has to do. Pure. */
import { createHash } from 'node:crypto';
import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import {
  CURRENCY,
  MAX_SOURCE_LENGTH,
  objectionToCharging,
  objectionToPaying,
  type Payable,
  PAYMENT_ID,
  type PaymentObjection,
  SOURCE,
} from '@shop/contracts';
import { Problem } from '@shop/problem';
import { IsText } from '@shop/validation';
import { IsIn, IsInt, IsOptional, Matches, Max, Min } from 'class-validator';
import { type Capture, captures } from './intent';
import { leftOf } from './money-back';

/**
 * In minor units: the largest whole number that JSON holds exactly. How much can be paid depends on the currency, see
 * `objectionToCharging`.
 */
export const MAX_AMOUNT = Number.MAX_SAFE_INTEGER;
/** The reason of a payment that was never made while the provider could still be asked for it. */
export const NEVER_CHARGED = 'never_charged';
/** Enough characters of a hash that two ids are never equal. */
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
  @Matches(SOURCE, { message: 'source must be a token of the payment provider' })
  source: string;

  @ApiPropertyOptional({
    enum: captures,
    description: 'manual: the money is only held, and taken by captures',
    example: 'automatic',
  })
  @IsOptional()
  @IsIn(captures)
  capture?: Capture;
}

export const paymentStatuses = ['pending', 'authorized', 'succeeded', 'declined', 'cancelled'] as const;
export type PaymentStatus = (typeof paymentStatuses)[number];
/** The customer has to approve it, or the provider waits for a bank. */
export type WaitsFor = 'customer' | 'provider';

export interface Payment {
  tenant: string;
  id: string;
  orderId: string | null;
  /** The id of the command that charges it. */
  chargeId: string | null;
  amount: number;
  currency: string;
  /** The provider's token of the means of payment, sealed. It is erased when the payment is settled. */
  source: string | null;
  status: PaymentStatus;
  /** Of a pending payment that the provider has begun. */
  waitsFor: WaitsFor | null;
  /** The page on which the customer approves it. Who has the address can approve it. */
  nextActionUrl: string | null;
  /** Until then it may be approved; or, of an authorized payment, captured. */
  expiresAt: string | null;
  declineReason: string | null;
  /** The provider's name for it. Without a name, no money can have moved. */
  providerReference: string | null;
  /** Nobody wants its money any more. What lands after that is given back. */
  undone: boolean;
  /** What captures took of money that was only held first. Null if it was taken at once. */
  captured: number | null;
  refunded: number;
  /** What open and lost disputes took. */
  disputed: number;
  version: number;
  createdAt: string;
}

/**
 * The id is derived from the command or the claim. So one of them makes one payment, even if the ledger has forgotten
 * it.
 */
export const paymentIdOf = (chargeId: string): string => idAfter('pmt', chargeId);

/** An id that is derived from the name of what made the row. */
export function idAfter(prefix: string, name: string): string {
  return `${prefix}_${createHash('sha256').update(name).digest('base64url').slice(0, ID_LENGTH)}`;
}

/** The codes of an amount that the provider cannot move. */
export const notPayable = ['currency_not_supported', 'amount_not_payable', 'amount_too_large'] as const;

/** The problem of an amount that the provider cannot give back. */
export const payableProblem = (money: Payable): Problem | undefined => problemOf(objectionToPaying(money));

/** The problem of an amount that the provider cannot take. It may be too small as well. */
export const chargeableProblem = (money: Payable): Problem | undefined => problemOf(objectionToCharging(money));

const problemOf = (objection: PaymentObjection | undefined): Problem | undefined =>
  objection && new Problem(422, objection.code, objection.detail);

/** @throws Problem 404 for a text that cannot be the id of a payment */
export function checkPaymentId(id: string): string {
  if (!PAYMENT_ID.test(id)) throw paymentNotFound();
  return id;
}

export const paymentNotFound = () => new Problem(404, 'payment_not_found', 'there is no payment with this id');

/** What has to be done to undo a charge that nobody works on. */
export type RefundPlan =
  /** There is no such payment, or the provider never made it: no money was taken. */
  | 'never-charged'
  /** It was declined, or given back already. */
  | 'nothing-to-refund'
  /** Its outcome is unknown. Nobody may say that there was no charge. */
  | 'wait-for-charge'
  /** No money was taken yet, and the provider has to be told that none is wanted. */
  | 'give-up'
  /** It was held, and is free again. */
  | 'voided'
  /** What is left goes back. A dispute may have left nothing, and then it is remembered that it is not wanted. */
  | 'refund';

export function planRefund(payment: Payment | undefined): RefundPlan {
  if (!payment || payment.declineReason === NEVER_CHARGED) return 'never-charged';
  switch (payment.status) {
    case 'cancelled':
      return payment.captured === null ? 'never-charged' : 'voided';
    case 'pending':
      return payment.waitsFor === null ? 'wait-for-charge' : 'give-up';
    case 'authorized':
      return 'give-up';
    case 'succeeded':
      return leftOf(payment) > 0 || payment.disputed > 0 ? 'refund' : 'nothing-to-refund';
    case 'declined':
      return 'nothing-to-refund';
  }
}
