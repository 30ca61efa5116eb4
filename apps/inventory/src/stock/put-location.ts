/** `PUT /stock/{sku}/locations/{location}`: creates a location of a SKU, or sets the number counted there. */
import { type Preconditions, requireMatch, requireNone } from '@shop/http';
import type { Tx } from '@shop/postgres';
import { MAIN, type Stock, type StockPlace } from './stock';
import { insufficientStock, MAX_ON_HAND, stockIsBundle, stockNotFound } from './stock-answers';
import { adjustPlacedStock, createPlace, lockPlacedStock } from './stock-settings.repository';
import type { ShownStock } from './stock.view';

export interface LocationCount extends Preconditions {
  tenant: string;
  sku: string;
  place: string;
  onHand: number;
}

/**
 * A new location needs no If-Match, and neither does the same number again. A change names the version of the stock,
 * whose number on hand it changes.
 * @throws Problem 404 `stock_not_found`, 409 `insufficient_stock` or `stock_is_bundle`, and as `requireMatch` and
 * `requireNone` do
 */
export async function putLocation(tx: Tx, count: LocationCount): Promise<{ shown: ShownStock; created: boolean }> {
  const { tenant, sku, place, onHand, ifMatch, ifNoneMatch } = count;
  const locked = await lockPlacedStock(tx, tenant, sku);
  if (!locked) throw stockNotFound();
  const { stock } = locked;
  if (stock.components) throw stockIsBundle();
  const places = placesOf(stock, locked.places);
  const there = places.find((one) => one.place === place);
  if (there) requireNone(ifNoneMatch, stock.version);
  if (there && ifMatch === undefined && there.onHand === onHand) return { shown: locked, created: false };
  if (there || ifMatch !== undefined) requireMatch(ifMatch, stock.version);
  const counted = { tenant, sku, place, onHand, reserved: there?.reserved ?? 0 };
  const delta = onHand - (there?.onHand ?? 0);
  if (onHand < counted.reserved || stock.onHand + delta > MAX_ON_HAND) throw insufficientStock(counted);
  // The pieces of a SKU whose only place is `main` need no row for it.
  const isPlain = !stock.located && place === MAIN;
  if (!there) createPlace(tx, stock, place);
  const changed = adjustPlacedStock(tx, stock, {
    delta,
    reason: 'counted',
    cause: 'PUT',
    place: isPlain ? undefined : place,
  });
  const shown = isPlain ? [] : [...places.filter((one) => one.place !== place), counted].sort(byName);
  return { shown: { stock: { ...changed, located: !isPlain }, places: shown }, created: !there };
}

/** What a SKU without locations has stands at `main`. */
function placesOf({ tenant, sku, located, onHand, reserved, awaited }: Stock, places: StockPlace[]): StockPlace[] {
  return located ? places : [{ tenant, sku, place: MAIN, onHand, reserved: reserved - awaited }];
}

const byName = (one: StockPlace, other: StockPlace): number => (one.place < other.place ? -1 : 1);
