/** A dispute as operators see it. */
import { ApiProperty, ApiSchema } from '@nestjs/swagger';
import { type Dispute, disputeStatuses, type DisputeStatus } from './dispute';

@ApiSchema({ name: 'Dispute', description: 'Money of a payment that a bank has taken back for its customer.' })
export class DisputeView implements Omit<Dispute, 'tenant'> {
  @ApiProperty({ description: 'its name at the provider', example: 'dp_1N6b3f' })
  id: string;

  @ApiProperty({ example: 'pmt_u0cvXt9NcH0r3cRGqAAAJ2fBYvM' })
  paymentId: string;

  @ApiProperty({ type: 'integer', description: 'minor units of the currency', example: 4_200 })
  amount: number;

  @ApiProperty({ description: 'ISO 4217', example: 'USD' })
  currency: string;

  @ApiProperty({ description: 'what the customer has told the bank, as the provider names it', example: 'fraudulent' })
  reason: string;

  @ApiProperty({ enum: disputeStatuses, description: 'won: the money came back to us', example: 'open' })
  status: DisputeStatus;

  @ApiProperty({ format: 'date-time', example: '2026-03-01T12:00:00.000Z' })
  openedAt: string;

  @ApiProperty({ type: String, format: 'date-time', nullable: true, example: null })
  closedAt: string | null;
}

export function disputeJson({ tenant: _tenant, ...seen }: Dispute): DisputeView {
  return seen;
}
