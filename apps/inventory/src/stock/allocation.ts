/** Which places the pieces of a SKU are taken from. Pure, and replaceable: the sums are right whatever is chosen. */
import type { StockPlace } from './stock';

export type FreePlace = Pick<StockPlace, 'place' | 'onHand' | 'reserved'>;

export interface Portion {
  place: string;
  quantity: number;
}

/** Splits so many pieces over places, which together have that many free ones. */
export type Allocate = (places: readonly FreePlace[], quantity: number) => Portion[];

/** From the place with the most free pieces first, so that an order comes from few places; then by name. */
export const fromFewPlaces: Allocate = (places, quantity) => {
  const portions: Portion[] = [];
  let left = quantity;
  for (const place of [...places].sort(byMostFree)) {
    const taken = Math.min(left, freeAt(place));
    if (taken <= 0) break;
    portions.push({ place: place.place, quantity: taken });
    left -= taken;
  }
  return portions;
};

const freeAt = ({ onHand, reserved }: FreePlace): number => onHand - reserved;

const byMostFree = (one: FreePlace, other: FreePlace): number =>
  freeAt(other) - freeAt(one) || (one.place < other.place ? -1 : 1);
