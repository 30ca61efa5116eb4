/** A capture: money that is held, or a part of it, is taken. The request, and whether it is allowed. Pure. */
import { ApiPropertyOptional } from '@nestjs/swagger';
import { Problem } from '@shop/problem';
import { IsBoolean, IsInt, IsOptional, Max, Min } from 'class-validator';
import { idAfter, MAX_AMOUNT, payableProblem, type Payment, paymentNotFound } from '../payments/payment';
import { AUTHORIZATION_EXPIRED } from '../payments/payment-state';

export class CaptureBody {
  @ApiPropertyOptional({
    type: 'integer',
    description: 'minor units of the currency of the payment; all that is still held if it is absent',
    example: 1_200,
  })
  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(MAX_AMOUNT)
  amount?: number;

  @ApiPropertyOptional({
    description: 'nothing more is taken after it, and the rest is free again',
    default: false,
    example: false,
  })
  @IsOptional()
  @IsBoolean()
  final?: boolean;
}

export const captureStatuses = ['pending', 'succeeded', 'failed'] as const;
export type CaptureStatus = (typeof captureStatuses)[number];

export interface Capture {
  tenant: string;
  id: string;
  paymentId: string;
  amount: number;
  /** Nothing more is taken after it. */
  final: boolean;
  status: CaptureStatus;
  createdAt: string;
}

/** The id is derived from the claim. So one claim makes one capture, even if the ledger has forgotten it. */
export const captureIdOf = (workId: string): string => idAfter('cap', workId);

export const pathOf = ({ paymentId, id }: Pick<Capture, 'paymentId' | 'id'>): string =>
  `/payments/${paymentId}/captures/${id}`;

/**
 * The intent carries the name of each of its captures, and has room for 50 names. Three of them are ours already.
 * https://docs.stripe.com/api/metadata
 */
export const MAX_CAPTURES = 40;

/** What other captures of a payment have taken, or may still take. */
export interface OtherCaptures {
  promised: number;
  /** How many of them have an unknown outcome. */
  pending: number;
  count: number;
  /** One of them was, or may be, the last one. */
  hasFinal: boolean;
}

/** What a capture asks the provider for. */
export interface Taking {
  amount: number;
  final: boolean;
}

type Held = Payment & { isExpired: boolean };

/** True only now, so the key stays free. */
export const captureInProgress = (): Problem =>
  new Problem(409, 'capture_in_progress', 'another capture is under way; ask for the last one after it');

/** What would be taken, or the reason why it may not be. `busy`: it may be later. */
export function planCapture(
  { amount, final = false }: CaptureBody,
  payment: Held | undefined,
  others: OtherCaptures,
): Taking | Problem | 'busy' {
  if (!payment) return paymentNotFound();
  const isOver = payment.isExpired || payment.declineReason === AUTHORIZATION_EXPIRED;
  if (isOver && payment.captured !== null && !payment.undone)
    return new Problem(409, 'authorization_expired', 'the money is not held any more; what was captured before stays', {
      extensions: { captured: payment.captured },
    });
  if (payment.status !== 'authorized' || payment.undone || others.hasFinal)
    return new Problem(
      409,
      'payment_not_capturable',
      others.hasFinal ? 'the last capture was made or is under way' : `the payment is ${payment.status}`,
    );
  if (others.count >= MAX_CAPTURES)
    return new Problem(409, 'too_many_captures', `a payment has at most ${MAX_CAPTURES} captures`);
  const capturable = payment.amount - Math.max(others.promised, payment.captured ?? 0);
  const wanted = amount ?? capturable;
  if (wanted > capturable || wanted === 0)
    return new Problem(
      409,
      'capture_exceeds_authorization',
      'this and the other captures would take more than is held',
      {
        extensions: { capturable },
      },
    );
  const objection = payableProblem({ amount: wanted, currency: payment.currency });
  if (objection) return objection;
  // The provider ends with the last one. So it must not overtake one that is under way.
  if (final && others.pending > 0) return 'busy';
  return { amount: wanted, final: final || (wanted === capturable && others.pending === 0) };
}
