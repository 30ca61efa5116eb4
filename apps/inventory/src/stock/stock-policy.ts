/** What the operators of a shop allow for the stock of a SKU. */
import { ApiProperty, ApiSchema } from '@nestjs/swagger';
import { IsInt, Max, Min, ValidateIf } from 'class-validator';
import type { Stock } from './stock';
import { MAX_ON_HAND } from './stock-answers';

export class PolicyBody {
  @ApiProperty({ description: 'how many pieces may be reserved that are not there yet; 0 for none', example: 10 })
  @IsInt()
  @Min(0)
  @Max(MAX_ON_HAND)
  backorderLimit: number;

  @ApiProperty({
    type: 'integer',
    nullable: true,
    minimum: 1,
    maximum: MAX_ON_HAND,
    description: 'how many pieces one customer may hold or have bought; null for any number',
    example: 2,
  })
  @ValidateIf(({ customerLimit }: PolicyBody) => customerLimit !== null)
  @IsInt()
  @Min(1)
  @Max(MAX_ON_HAND)
  customerLimit: number | null;
}

@ApiSchema({ name: 'StockPolicy', description: 'What is allowed for the stock of a SKU.' })
export class PolicyView extends PolicyBody {
  @ApiProperty({ description: 'stock keeping unit', example: 'cup' })
  sku: string;

  @ApiProperty({ type: 'integer', description: 'the version of the stock; the ETag tells the same', example: 1 })
  version: number;
}

export function policyJson({ sku, backorderLimit, customerLimit, version }: Stock): PolicyView {
  return { sku, backorderLimit, customerLimit: customerLimit ?? null, version };
}
