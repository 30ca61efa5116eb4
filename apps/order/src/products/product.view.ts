/** A product as clients see it. */
import { ApiProperty, ApiSchema } from '@nestjs/swagger';
import { Money } from './product';
import type { Product } from './product.entity';

@ApiSchema({ name: 'Product', description: 'A product of the catalogue.' })
export class ProductView {
  @ApiProperty({ description: 'stock keeping unit', example: 'cup' })
  sku: string;

  @ApiProperty({ example: 'Espresso cup' })
  name: string;

  @ApiProperty({ type: Money })
  unitPrice: Money;

  @ApiProperty({ type: 'integer', description: 'counts the changes; the ETag tells the same', example: 1 })
  version: number;
}

export function productJson({ sku, name, unitPrice: { amount, currency }, version }: Product): ProductView {
  return { sku, name, unitPrice: { amount, currency }, version };
}
