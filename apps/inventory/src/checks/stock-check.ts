/** Compares what the table of stock says with what movements, reservations and the queue say. Pure. */
import { ApiProperty, ApiPropertyOptional, ApiSchema } from '@nestjs/swagger';

const counted = (description: string, example: number): PropertyDecorator =>
  ApiProperty({ type: 'integer', description, example });

@ApiSchema({ name: 'LocationCheck', description: 'The same for one location.' })
export class LocationCheckView {
  @ApiProperty({ example: 'berlin' })
  location: string;

  @counted('pieces there, as the table says', 60)
  onHand: number;

  @counted('the sum of the movements there, which must be the same', 60)
  moved: number;

  @counted('reserved pieces there, as the table says', 2)
  reserved: number;

  @counted('pieces there that open reservations hold, which must be the same', 2)
  held: number;
}

@ApiSchema({ name: 'StockCheck', description: 'Whether the numbers of a SKU agree with what they are made of.' })
export class StockCheckView {
  @ApiProperty({ description: 'stock keeping unit', example: 'cup' })
  sku: string;

  @ApiProperty({ description: 'whether all of it agrees', example: true })
  ok: boolean;

  @counted('pieces, as the table says', 100)
  onHand: number;

  @counted('the sum of the movements, which must be the same', 100)
  moved: number;

  @counted('reserved pieces, as the table says', 2)
  reserved: number;

  @counted('pieces that open reservations hold or wait for, which must be the same', 2)
  held: number;

  @counted('pieces of those that are not there yet, as the table says', 0)
  awaited: number;

  @counted('pieces in the queue, which must be the same', 0)
  queued: number;

  @ApiPropertyOptional({ type: [LocationCheckView] })
  locations?: LocationCheckView[];
}

export type FoundNumbers = Omit<StockCheckView, 'ok'>;

export function checkOf(found: FoundNumbers): StockCheckView {
  const { sku, onHand, moved, reserved, held, awaited, queued, locations } = found;
  return { sku, ok: isRight(found), onHand, moved, reserved, held, awaited, queued, locations };
}

/**
 * The check after a repair: reserved and awaited pieces are what the reservations and the queue say. Undefined where
 * these hold more than there is.
 */
export function repaired(found: FoundNumbers): StockCheckView | undefined {
  const { onHand, held, queued, locations } = found;
  const isPossible = held - queued <= onHand && (locations ?? []).every((place) => place.held <= place.onHand);
  if (!isPossible) return undefined;
  return checkOf({
    ...found,
    reserved: held,
    awaited: queued,
    locations: locations?.map((place) => ({ ...place, reserved: place.held })),
  });
}

function isRight({ onHand, moved, reserved, held, awaited, queued, locations }: FoundNumbers): boolean {
  if (onHand !== moved || reserved !== held || awaited !== queued) return false;
  if (!locations) return true;
  const total = locations.reduce((sum, place) => sum + place.onHand, 0);
  return total === onHand && locations.every((place) => place.onHand === place.moved && place.reserved === place.held);
}
