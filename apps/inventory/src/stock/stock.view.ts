/** Stock as clients see it. */
import { ApiProperty, ApiPropertyOptional, ApiSchema } from '@nestjs/swagger';
import { ComponentBody } from '../bundles/bundle';
import { freeOf, orderableOf, type Stock, type StockPlace } from './stock';

@ApiSchema({ name: 'StockLocation', description: 'The pieces of a SKU at one location.' })
export class LocationView {
  @ApiProperty({ example: 'berlin' })
  location: string;

  @ApiProperty({ type: 'integer', description: 'pieces that are there', example: 60 })
  onHand: number;

  @ApiProperty({ type: 'integer', description: 'pieces of them that are held', example: 2 })
  reserved: number;

  @ApiProperty({ type: 'integer', description: 'pieces that are there and free', example: 58 })
  available: number;
}

@ApiSchema({ name: 'Stock', description: 'The stock of one SKU, in pieces.' })
export class StockView {
  @ApiProperty({ description: 'stock keeping unit', example: 'cup' })
  sku: string;

  @ApiProperty({ type: 'integer', description: 'pieces that are there', example: 100 })
  onHand: number;

  @ApiProperty({ type: 'integer', description: 'pieces that are held, also those that are awaited', example: 2 })
  reserved: number;

  @ApiProperty({ type: 'integer', description: 'held pieces that are not there yet', example: 0 })
  awaited: number;

  @ApiProperty({
    type: 'integer',
    description: 'pieces that are there and free; of a bundle, how many its components make',
    example: 98,
  })
  available: number;

  @ApiProperty({
    type: 'integer',
    description: 'pieces that can be ordered, also those that may be awaited',
    example: 98,
  })
  orderable: number;

  @ApiProperty({ type: 'integer', description: 'how many pieces may be awaited at most', example: 0 })
  backorderLimit: number;

  @ApiProperty({
    type: 'integer',
    nullable: true,
    description: 'how many pieces one customer may hold or have bought; null for any number',
    example: null,
  })
  customerLimit: number | null;

  @ApiPropertyOptional({ type: [ComponentBody], description: 'of a bundle' })
  components?: ComponentBody[];

  @ApiPropertyOptional({ type: [LocationView], description: 'if it has any' })
  locations?: LocationView[];

  @ApiProperty({ type: 'integer', description: 'counts the changes; the ETag tells the same', example: 1 })
  version: number;
}

type PlacedPieces = Pick<StockPlace, 'place' | 'onHand' | 'reserved'>;

/** A SKU with all that its view needs. */
export interface ShownStock {
  stock: Stock;
  /** Empty for a SKU without locations. */
  places: readonly PlacedPieces[];
  /** Of a bundle: its components, each with its own stock, if there is one. */
  parts?: readonly { quantity: number; stock?: Stock }[];
}

export function stockJson({ stock, places, parts }: ShownStock): StockView {
  const { sku, onHand, reserved, awaited, backorderLimit, customerLimit, components, version } = stock;
  return {
    sku,
    onHand,
    reserved,
    awaited,
    available: parts ? bundlesOf(parts, freeOf) : freeOf(stock),
    orderable: parts ? bundlesOf(parts, orderableOf) : orderableOf(stock),
    backorderLimit,
    customerLimit: customerLimit ?? null,
    components: components ?? undefined,
    locations: places.length > 0 ? places.map(locationJson) : undefined,
    version,
  };
}

/** A plain SKU, which is shown from its own row. */
export const plain = (stock: Stock): ShownStock => ({ stock, places: [] });

function bundlesOf(parts: readonly { quantity: number; stock?: Stock }[], piecesOf: (stock: Stock) => number): number {
  return Math.min(...parts.map(({ quantity, stock }) => (stock ? Math.floor(piecesOf(stock) / quantity) : 0)));
}

function locationJson({ place, onHand, reserved }: PlacedPieces): LocationView {
  return { location: place, onHand, reserved, available: onHand - reserved };
}

/** What a client has to know has changed when one of these has: a bundle shows the pieces of its components, too. */
export function versionOf({ stock, parts }: ShownStock): number | string {
  return parts ? [stock.version, ...parts.map((part) => part.stock?.version ?? 0)].join('.') : stock.version;
}
