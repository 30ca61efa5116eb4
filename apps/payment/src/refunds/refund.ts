/** A refund that an operator requested: the request, and whether it is allowed. Pure. */
import { ApiProperty } from '@nestjs/swagger';
import { Problem } from '@shop/problem';
import { IsInt, Max, Min } from 'class-validator';
import { idAfter, MAX_AMOUNT, payableProblem, type Payment, paymentNotFound } from '../payments/payment';

export class RefundBody {
  @ApiProperty({ description: 'minor units of the currency of the payment', example: 1_200 })
  @IsInt()
  @Min(1)
  @Max(MAX_AMOUNT)
  amount: number;
}

export const refundStatuses = ['pending', 'succeeded', 'failed'] as const;
export type RefundStatus = (typeof refundStatuses)[number];

export interface Refund {
  tenant: string;
  id: string;
  paymentId: string;
  amount: number;
  status: RefundStatus;
  providerReference: string | null;
  createdAt: string;
}

/** The id is derived from the claim. So one claim makes one refund, even if the ledger has forgotten it. */
export const refundIdOf = (workId: string): string => idAfter('rfd', workId);

export const pathOf = ({ paymentId, id }: Pick<Refund, 'paymentId' | 'id'>): string =>
  `/payments/${paymentId}/refunds/${id}`;

/**
 * The reason why this much may not be given back.
 * @param promised what other refunds have given back or may still give back
 */
export function objectionTo(amount: number, payment: Payment | undefined, promised: number): Problem | undefined {
  if (!payment) return paymentNotFound();
  if (payment.orderId !== null) {
    return new Problem(409, 'payment_belongs_to_order', 'to give this payment back, cancel its order', {
      extensions: { orderId: payment.orderId },
    });
  }
  if (payment.status !== 'succeeded') {
    return new Problem(409, 'payment_not_refundable', `the payment is ${payment.status}`);
  }
  const refundable = payment.amount - promised;
  if (amount <= refundable) return payableProblem({ amount, currency: payment.currency });
  return new Problem(409, 'refund_exceeds_payment', 'this and the other refunds would give back more than was paid', {
    extensions: { refundable },
  });
}
