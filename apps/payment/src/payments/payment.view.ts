/** A payment as operators see it, and the answer to the request that made it. */
import { ApiProperty, ApiPropertyOptional, ApiSchema } from '@nestjs/swagger';
import { etagOf } from '@shop/http';
import { type Answer, answerWith, refusalOf } from '@shop/idempotency';
import { Problem } from '@shop/problem';
import { takenOf } from './money-back';
import { type Payment } from './payment';

/** Of a payment that waits, whom it waits for is told as its status. */
const shownStatuses = [
  'pending',
  'requires_action',
  'processing',
  'authorized',
  'succeeded',
  'declined',
  'cancelled',
] as const;

@ApiSchema({ name: 'PaymentNextAction', description: 'What the customer has to do before the money is taken.' })
export class NextActionView {
  @ApiProperty({ enum: ['redirect'], description: 'show the page of the bank', example: 'redirect' })
  type: 'redirect';

  @ApiProperty({
    description: 'of the page; who has it can approve the payment',
    example: 'https://bank.example/3ds/7',
  })
  url: string;

  @ApiProperty({ format: 'date-time', example: '2026-03-01T12:15:00.000Z' })
  expiresAt: string;
}

@ApiSchema({ name: 'Payment', description: 'Money that was taken, or was to be.' })
export class PaymentView implements Pick<
  Payment,
  | 'id'
  | 'orderId'
  | 'amount'
  | 'currency'
  | 'declineReason'
  | 'providerReference'
  | 'refunded'
  | 'disputed'
  | 'version'
  | 'createdAt'
> {
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

  @ApiProperty({ enum: shownStatuses, description: 'pending: the outcome is not known', example: 'succeeded' })
  status: (typeof shownStatuses)[number];

  @ApiPropertyOptional({ type: NextActionView, description: 'while the status is requires_action' })
  nextAction?: NextActionView;

  @ApiPropertyOptional({
    format: 'date-time',
    description: 'until then the payment waits; or, when it is authorized, it can be captured',
    example: '2026-03-01T12:15:00.000Z',
  })
  expiresAt?: string;

  @ApiProperty({ type: String, nullable: true, description: 'the reason of the provider', example: null })
  declineReason: string | null;

  @ApiProperty({ type: String, nullable: true, description: 'its name at the provider', example: 'pi_3f0c9d' })
  providerReference: string | null;

  @ApiProperty({
    type: 'integer',
    description: 'what was taken, in minor units; less than the amount while the rest is held or after it was released',
    example: 4_200,
  })
  captured: number;

  @ApiProperty({ type: 'integer', description: 'what was given back, in minor units', example: 0 })
  refunded: number;

  @ApiProperty({ type: 'integer', description: 'what open and lost disputes took, in minor units', example: 0 })
  disputed: number;

  @ApiProperty({ type: 'integer', description: 'counts the changes; the ETag tells the same', example: 2 })
  version: number;

  @ApiProperty({ format: 'date-time', example: '2026-03-01T12:00:00.000Z' })
  createdAt: string;
}

/** Leaves out the source, because it is the provider's token for somebody's card. */
export function paymentJson(payment: Payment): PaymentView {
  const { id, orderId, amount, currency, declineReason, providerReference, refunded, disputed, version, createdAt } =
    payment;
  const { status, waitsFor, nextActionUrl, expiresAt } = payment;
  const waiting = waitsFor === 'customer' ? 'requires_action' : 'processing';
  return {
    id,
    orderId,
    amount,
    currency,
    status: status === 'pending' && waitsFor !== null ? waiting : status,
    nextAction: nextActionUrl && expiresAt ? { type: 'redirect', url: nextActionUrl, expiresAt } : undefined,
    expiresAt: expiresAt ?? undefined,
    declineReason,
    providerReference,
    captured: takenOf(payment),
    refunded,
    disputed,
    version,
    createdAt,
  };
}

/** What `POST /payments` answers for a payment whose outcome is known, or that waits. */
export function answerOfPayment(payment: Payment): Answer {
  const { id, status, declineReason, version } = payment;
  const location = `/payments/${id}`;
  if (status === 'declined' || status === 'cancelled') {
    return refusalOf(
      new Problem(402, 'payment_declined', 'the payment was declined, and no money was taken', {
        extensions: { reason: declineReason, paymentId: id, statusUrl: location },
      }),
    );
  }
  return answerWith(status === 'pending' ? 202 : 201, paymentJson(payment), { location, etag: etagOf(version) });
}
