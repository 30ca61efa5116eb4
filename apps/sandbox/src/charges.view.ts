/** The charges that took money, as the outside world sees them. */
import { ApiProperty, ApiSchema } from '@nestjs/swagger';
import type { ChargeRecord } from './stripe/audit';

@ApiSchema({ name: 'Charge', description: 'Money that was taken.' })
class ChargeView implements ChargeRecord {
  @ApiProperty({ example: 'pi_3f0c9d' })
  id: string;

  @ApiProperty({ type: 'integer', description: 'what was asked for, in the units of Stripe', example: 2_400 })
  amount: number;

  @ApiProperty({ type: 'integer', description: 'what was taken, in the units of Stripe', example: 2_400 })
  captured: number;

  @ApiProperty({ description: 'ISO 4217, in small letters', example: 'eur' })
  currency: string;

  @ApiProperty({
    type: 'object',
    additionalProperties: { type: 'string' },
    description: 'what the caller has noted',
    example: { paymentId: 'pmt_u0cvXt9NcH0r3cRGqAAAJ2fBYvM' },
  })
  metadata: Record<string, string>;

  @ApiProperty({ type: String, nullable: true, example: '01a20621-a6cd-74b9-a1c3-459d717a98c4/charge/do' })
  idempotencyKey: string | null;

  @ApiProperty({ type: 'integer', description: 'what was given back, in the units of Stripe', example: 0 })
  refunded: number;

  @ApiProperty({ description: 'whether there is or was a dispute', example: false })
  disputed: boolean;

  @ApiProperty({ enum: ['succeeded'], example: 'succeeded' })
  status: 'succeeded';
}

@ApiSchema({ name: 'Charges', description: 'Every charge that took money, oldest first.' })
export class ChargesView {
  @ApiProperty({ type: [ChargeView] })
  charges: ChargeView[];
}
