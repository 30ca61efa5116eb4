/** A bundle: a SKU that has no pieces of its own, because it stands for pieces of others. */
import { ApiProperty, ApiSchema } from '@nestjs/swagger';
import { MAX_QUANTITY, SKU } from '@shop/contracts';
import { Problem } from '@shop/problem';
import { Type } from 'class-transformer';
import {
  ArrayMaxSize,
  ArrayMinSize,
  ArrayUnique,
  IsArray,
  IsInt,
  Matches,
  Max,
  Min,
  ValidateNested,
} from 'class-validator';

/** An order of many bundles locks the rows of all their components. */
export const MAX_COMPONENTS = 20;

@ApiSchema({ name: 'Component', description: 'Pieces of one SKU in a bundle.' })
export class ComponentBody {
  @ApiProperty({ description: 'stock keeping unit, not a bundle itself', example: 'cup' })
  @Matches(SKU, { message: 'sku must be 1 to 64 of A-Z a-z 0-9 . _ -' })
  sku: string;

  @ApiProperty({ description: 'pieces in one bundle', example: 2 })
  @IsInt()
  @Min(1)
  @Max(MAX_QUANTITY)
  quantity: number;
}

export class BundleBody {
  @ApiProperty({ type: [ComponentBody] })
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(MAX_COMPONENTS)
  @ArrayUnique((component: ComponentBody) => component?.sku, { message: 'components must name each sku once' })
  @ValidateNested({ each: true })
  @Type(() => ComponentBody)
  components: ComponentBody[];
}

@ApiSchema({ name: 'Bundle', description: 'What a SKU stands for.' })
export class BundleView extends BundleBody {
  @ApiProperty({ description: 'stock keeping unit of the bundle', example: 'tea-set' })
  sku: string;

  @ApiProperty({ type: 'integer', description: 'counts the changes; the ETag tells the same', example: 1 })
  version: number;
}

export const bundleNotFound = () => new Problem(404, 'bundle_not_found', 'there is no bundle with this SKU');

export const stockExists = () =>
  new Problem(409, 'stock_exists', 'this SKU has pieces of its own, or some of it are reserved or awaited');

export const nestedBundle = (skus: readonly string[]) =>
  new Problem(422, 'nested_bundle', 'no bundle may be a component of a bundle', { extensions: { skus } });

export const unknownComponents = (skus: readonly string[]) =>
  new Problem(422, 'unknown_sku', `there is no stock of ${skus.join(', ')}`, { extensions: { skus } });

/** In the order of SKU, so that the same bundle is the same text whatever the order of the request. */
export const sortedComponents = (components: readonly ComponentBody[]): ComponentBody[] =>
  components
    .map(({ sku, quantity }) => ({ sku, quantity }))
    .sort((one, other) => (one.sku < other.sku ? -1 : one.sku > other.sku ? 1 : 0));
