/** A refund: the request for one, and whether it is allowed. Pure. */
import { ApiProperty } from '@nestjs/swagger';
import { Problem } from '@shop/problem';
import { IsInt, Max, Min } from 'class-validator';
import { leftOf } from '../payments/money-back';
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

/**
 * - `request`: somebody asked for it over HTTP.
 * - `saga`: the undo of a charge.
 * - `landed`: its money came when nobody wanted it any more.
 */
export type RefundCause = 'request' | 'saga' | 'landed';

export interface Refund {
  tenant: string;
  id: string;
  paymentId: string;
  amount: number;
  cause: RefundCause;
  status: RefundStatus;
  /** Null while the provider has not accepted it. */
  providerReference: string | null;
  createdAt: string;
}

/** The id is derived from the claim or the command. So one of them makes one refund, even if the ledger has forgotten it. */
export const refundIdOf = (name: string): string => idAfter('rfd', name);

export const pathOf = ({ paymentId, id }: Pick<Refund, 'paymentId' | 'id'>): string =>
  `/payments/${paymentId}/refunds/${id}`;

export interface OtherRefunds {
  /** What others may still give back. */
  promised: number;
  /** One of them failed, so its money is still owed. */
  hasFailed: boolean;
}

/** The reason why this much may not be given back over HTTP. */
export function objectionTo(
  amount: number,
  payment: Payment | undefined,
  { promised, hasFailed }: OtherRefunds,
): Problem | undefined {
  if (!payment) return paymentNotFound();
  // A saga does not ask again for a refund that failed after it had ended. So somebody else has to.
  if (payment.orderId !== null && !hasFailed) {
    return new Problem(409, 'payment_belongs_to_order', 'to give this payment back, cancel its order', {
      extensions: { orderId: payment.orderId },
    });
  }
  if (payment.status !== 'succeeded') {
    return new Problem(409, 'payment_not_refundable', `the payment is ${payment.status}`);
  }
  const refundable = leftOf({ ...payment, promised });
  if (amount <= refundable) return payableProblem({ amount, currency: payment.currency });
  return new Problem(
    409,
    'refund_exceeds_payment',
    'this, the other refunds and the disputes would take more than was paid',
    { extensions: { refundable } },
  );
}
