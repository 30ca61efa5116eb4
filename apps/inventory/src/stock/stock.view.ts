/** Stock as clients see it. */
import { ApiProperty, ApiSchema } from '@nestjs/swagger';
import type { Stock } from './warehouse';

@ApiSchema({ name: 'Stock', description: 'The stock of one SKU, in pieces.' })
export class StockView {
  @ApiProperty({ description: 'stock keeping unit', example: 'cup' })
  sku: string;

  @ApiProperty({ type: 'integer', description: 'pieces that are there', example: 100 })
  onHand: number;

  @ApiProperty({ type: 'integer', description: 'pieces of them that orders hold', example: 2 })
  reserved: number;

  @ApiProperty({ type: 'integer', description: 'pieces that can be ordered', example: 98 })
  available: number;

  @ApiProperty({ type: 'integer', description: 'counts the changes; the ETag tells the same', example: 1 })
  version: number;
}

export function stockJson({ sku, onHand, reserved, version }: Stock): StockView {
  return { sku, onHand, reserved, available: onHand - reserved, version };
}
