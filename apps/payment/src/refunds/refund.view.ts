/** A refund as operators see it, and the answer to the request that made it. */
import { ApiProperty, ApiSchema } from '@nestjs/swagger';
import { type Answer, answerWith, refusalOf } from '@shop/idempotency';
import { Problem } from '@shop/problem';
import { pathOf, type Refund, type RefundStatus, refundStatuses } from './refund';

@ApiSchema({ name: 'Refund', description: 'Money of a payment that was given back, or was to be.' })
export class RefundView implements Omit<Refund, 'tenant' | 'cause'> {
  @ApiProperty({ example: 'rfd_Zl0hCg4y1mPpYvHnR1xk7Jd2sQw' })
  id: string;

  @ApiProperty({ example: 'pmt_u0cvXt9NcH0r3cRGqAAAJ2fBYvM' })
  paymentId: string;

  @ApiProperty({ type: 'integer', description: 'minor units of the currency of the payment', example: 1_200 })
  amount: number;

  @ApiProperty({
    enum: refundStatuses,
    description: 'pending: the provider or a bank has not decided; failed: the money did not go back',
    example: 'succeeded',
  })
  status: RefundStatus;

  @ApiProperty({
    type: String,
    nullable: true,
    description: 'its name at the provider; null until it is accepted there',
    example: 're_9a41be',
  })
  providerReference: string | null;

  @ApiProperty({ format: 'date-time', example: '2026-03-01T12:00:00.000Z' })
  createdAt: string;
}

export function refundJson({ id, paymentId, amount, status, providerReference, createdAt }: Refund): RefundView {
  return { id, paymentId, amount, status, providerReference, createdAt };
}

/** What `POST /payments/{id}/refunds` answers for a refund that the provider has accepted or refused. */
export function answerOfRefund(refund: Refund): Answer {
  const location = pathOf(refund);
  if (refund.status !== 'failed')
    return answerWith(refund.status === 'pending' ? 202 : 201, refundJson(refund), { location });
  return refusalOf(
    new Problem(422, 'refund_refused', 'the provider refused the refund, and nothing was given back', {
      extensions: { refundId: refund.id, statusUrl: location },
    }),
  );
}
