/** What is remembered of what was committed, and what is not. */
import { type Reservation, type ReservationStatus, Shelf, type Stock } from '../stock/stock';
import { InventoryMemory } from './inventory-memory';

const tenant = 'acme';
const stock = (sku: string, available: number): Stock => ({
  tenant,
  sku,
  onHand: available + 3,
  reserved: 3,
  version: 1,
});
const reservation = (id: string, status: ReservationStatus = 'open'): Reservation => ({
  id,
  tenant,
  lines: [{ sku: 'cup', quantity: 2 }],
  status,
});

describe('a scarce SKU', () => {
  it.each([
    [0, true],
    [99, true],
    [100, false],
  ])('with %i left is scarce: %s', (available, scarce) => {
    const memory = new InventoryMemory();
    memory.learn(new Shelf([stock('cup', available)], []));
    expect(memory.isScarce(tenant, 'cup')).toBe(scarce);
    expect(memory.isScarce('other', 'cup')).toBe(false);
  });

  it('is one until plenty of it was seen, not only presumed', () => {
    const memory = new InventoryMemory();
    memory.learn(new Shelf([stock('cup', 5)], []));
    const presuming = new Shelf([], [], () => true);
    presuming.reserve(tenant, 'r1', [{ sku: 'cup', quantity: 1 }]);
    memory.learn(presuming);
    expect(memory.isScarce(tenant, 'cup')).toBe(true);
    memory.learn(new Shelf([stock('cup', 500)], []));
    expect(memory.isScarce(tenant, 'cup')).toBe(false);
  });

  it('is one that nobody keeps', () => {
    const memory = new InventoryMemory();
    const shelf = new Shelf([], []);
    shelf.reserve(tenant, 'r1', [{ sku: 'cup', quantity: 1 }]);
    memory.learn(shelf);
    expect(memory.isScarce(tenant, 'cup')).toBe(true);
  });
});

describe('an open reservation', () => {
  it('is recalled until it is known to be closed', () => {
    const memory = new InventoryMemory();
    const shelf = new Shelf([stock('cup', 500)], [reservation('read')]);
    shelf.reserve(tenant, 'made', [{ sku: 'cup', quantity: 2 }]);
    memory.learn(shelf);
    expect(['made', 'read', 'unknown'].map((id) => memory.recall(id))).toEqual([
      reservation('made'),
      reservation('read'),
      undefined,
    ]);
    memory.learn(new Shelf([], [reservation('made', 'released'), reservation('read', 'confirmed')]));
    expect(['made', 'read'].map((id) => memory.recall(id))).toEqual([undefined, undefined]);
  });

  it('is recalled as it was remembered, whatever became of what was recalled', () => {
    const memory = new InventoryMemory();
    memory.learn(new Shelf([], [reservation('r1')]));
    new Shelf([stock('cup', 5)], [memory.recall('r1')!]).confirm(tenant, 'r1');
    expect(memory.recall('r1')).toEqual(reservation('r1'));
  });

  it('is forgotten when there are too many, the oldest first', () => {
    const memory = new InventoryMemory();
    const ids = Array.from({ length: 10_001 }, (_, index) => `r${index}`);
    memory.learn(
      new Shelf(
        [],
        ids.map((id) => reservation(id)),
      ),
    );
    expect(ids.filter((id) => !memory.recall(id))).toEqual(['r0']);
  });
});
