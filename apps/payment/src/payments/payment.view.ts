/** A payment as operators see it, and the answer to the request that made it. */
import { ApiProperty, ApiSchema } from '@nestjs/swagger';
import { etagOf } from '@shop/http';
import { type Answer, answerWith, refusalOf } from '@shop/idempotency';
import { Problem } from '@shop/problem';
import { type Payment, type PaymentStatus, paymentStatuses } from './payment';

@ApiSchema({ name: 'Payment', description: 'Money that was taken, or was to be.' })
export class PaymentView implements Omit<Payment, 'tenant' | 'source'> {
  @ApiProperty({ example: 'pmt_u0cvXt9NcH0r3cRGqAAAJ2fBYvM' })
  id: string;

  @ApiProperty({
    type: String,
    format: 'uuid',
    nullable: true,
    description: 'the order that it pays; null when it was made over HTTP',
    example: null,
  })
  orderId: string | null;

  @ApiProperty({ type: 'integer', description: 'minor units of the currency', example: 4_200 })
  amount: number;

  @ApiProperty({ description: 'ISO 4217', example: 'USD' })
  currency: string;

  @ApiProperty({ enum: paymentStatuses, description: 'pending: the outcome is not known', example: 'succeeded' })
  status: PaymentStatus;

  @ApiProperty({ type: String, nullable: true, description: 'the reason of the provider', example: null })
  declineReason: string | null;

  @ApiProperty({ type: String, nullable: true, description: 'its name at the provider', example: 'pi_3f0c9d' })
  providerReference: string | null;

  @ApiProperty({ type: 'integer', description: 'what was given back, in minor units', example: 0 })
  refunded: number;

  @ApiProperty({ type: 'integer', description: 'counts the changes; the ETag tells the same', example: 2 })
  version: number;

  @ApiProperty({ format: 'date-time', example: '2026-03-01T12:00:00.000Z' })
  createdAt: string;
}

/** Leaves out the source, because it is the provider's token for somebody's card. */
export function paymentJson({ tenant: _tenant, source: _source, ...seen }: Payment): PaymentView {
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
