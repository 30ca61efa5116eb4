/** A payout as it is shown. */
import { ApiProperty, ApiSchema } from '@nestjs/swagger';
import { type Payout, payoutStatuses, type PayoutStatus } from '../webhooks/provider-reports';

@ApiSchema({ name: 'Payout', description: 'Money that the payment provider sends to our bank.' })
export class PayoutView implements Payout {
  @ApiProperty({ description: "the provider's name for it", example: 'po_1QxY7a' })
  id: string;

  @ApiProperty({
    type: 'integer',
    description: 'minor units of the currency; below zero when the provider takes money from our bank',
    example: 120_000,
  })
  amount: number;

  @ApiProperty({ description: 'ISO 4217', example: 'EUR' })
  currency: string;

  @ApiProperty({ enum: payoutStatuses, example: 'paid' })
  status: PayoutStatus;

  @ApiProperty({ format: 'date', description: 'when the bank has it, as expected', example: '2026-03-03' })
  arrivalDate: string;

  @ApiProperty({ type: String, nullable: true, description: 'the reason of the bank', example: null })
  failureCode: string | null;
}
