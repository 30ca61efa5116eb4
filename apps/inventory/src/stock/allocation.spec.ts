/** Which places the pieces of an order come from, and what an order with bundles takes. */
import fc from 'fast-check';
import { fromFewPlaces } from './allocation';
import { piecesOf } from './bundles';
import { Shelf } from './shelf';
import type { StockLine } from './stock';

const place = (name: string, onHand: number, reserved = 0) => ({ place: name, onHand, reserved });
const line = (sku: string, quantity: number): StockLine => ({ sku, quantity });

describe('R37 pieces at several places', () => {
  it('come from the place with the most free ones first, then by name', () => {
    const places = [place('c', 3), place('a', 9, 8), place('b', 3), place('d', 0)];
    expect(fromFewPlaces(places, 2)).toEqual([{ place: 'b', quantity: 2 }]);
    expect(fromFewPlaces(places, 7)).toEqual([
      { place: 'b', quantity: 3 },
      { place: 'c', quantity: 3 },
      { place: 'a', quantity: 1 },
    ]);
  });

  it('of five are reserved just when all have enough together, and none gives more than it has', () => {
    const five = fc.array(fc.tuple(fc.nat({ max: 6 }), fc.nat({ max: 6 })), { minLength: 5, maxLength: 5 });
    fc.assert(
      fc.property(five, fc.integer({ min: 1, max: 40 }), (numbers, quantity) => {
        const places = numbers.map(([free, reserved], index) => ({
          ...{ tenant: 'acme', sku: 'cup' },
          ...place(`p${index}`, free + reserved, reserved),
        }));
        const before = structuredClone(places);
        const [onHand, reserved] = [sumOf(places, 'onHand'), sumOf(places, 'reserved')];
        const rest = {
          awaited: 0,
          backorderLimit: 0,
          customerLimit: null,
          components: null,
          located: true,
          version: 1,
        };
        const cup = { tenant: 'acme', sku: 'cup', onHand, reserved, ...rest };
        const shelf = new Shelf({ stock: [cup], reservations: [], places });
        const { outcome } = shelf.reserve({ tenant: 'acme', id: 'r1', lines: [line('cup', quantity)] });
        expect(outcome).toBe(quantity <= onHand - reserved ? 'reserved' : 'out_of_stock');
        if (outcome !== 'reserved') return expect(places).toEqual(before);
        expect(sumOf(places, 'reserved')).toBe(reserved + quantity);
        expect(places.every((one) => one.reserved <= one.onHand)).toBe(true);
        expect(sumOf(places, 'onHand')).toBe(onHand);
      }),
    );
  });

  it('may be chosen by another rule', () => {
    const places = [place('a', 1), place('b', 5)].map((one) => ({ tenant: 'acme', sku: 'cup', ...one }));
    const rest = { awaited: 0, backorderLimit: 0, customerLimit: null, components: null, located: true, version: 1 };
    const stock = [{ tenant: 'acme', sku: 'cup', onHand: 6, reserved: 0, ...rest }];
    const shelf = new Shelf({ stock, reservations: [], places }, () => [
      { place: 'a', quantity: 1 },
      { place: 'b', quantity: 1 },
    ]);
    shelf.reserve({ tenant: 'acme', id: 'r1', lines: [line('cup', 2)] });
    expect(places.map(({ reserved }) => reserved)).toEqual([1, 1]);
  });
});

it('R37 an order takes the components of its bundles and its other pieces, each SKU counted once', () => {
  const bundles: Record<string, StockLine[]> = {
    set: [line('cup', 2), line('pot', 1)],
    duo: [line('pot', 1), line('jug', 1)],
  };
  const wanted = piecesOf([line('set', 3), line('pot', 1), line('duo', 2)], (sku) => bundles[sku] ?? null);
  expect(wanted).toEqual([line('cup', 6), line('pot', 6), line('jug', 2)]);
});

const sumOf = (places: readonly { onHand: number; reserved: number }[], key: 'onHand' | 'reserved'): number =>
  places.reduce((sum, one) => sum + one[key], 0);
