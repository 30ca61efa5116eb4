import { checkOf, type FoundNumbers } from './stock-check';

const berlin = { location: 'berlin', onHand: 60, moved: 60, reserved: 2, held: 2 };
const main = { location: 'main', onHand: 40, moved: 40, reserved: 0, held: 0 };
const found: FoundNumbers = {
  sku: 'cup',
  onHand: 100,
  moved: 100,
  reserved: 5,
  held: 5,
  awaited: 3,
  queued: 3,
  locations: [berlin, main],
};

describe('the check of a SKU', () => {
  it('is right when all numbers agree, with and without locations', () => {
    expect(checkOf(found)).toEqual({ ...found, ok: true });
    expect(checkOf({ ...found, locations: undefined }).ok).toBe(true);
  });

  it.each<[string, Partial<FoundNumbers>]>([
    ['movements that make another number', { moved: 99 }],
    ['reservations that hold more', { held: 6 }],
    ['a queue that is longer', { queued: 4 }],
    ['movements of a location', { locations: [{ ...berlin, moved: 61 }, main] }],
    ['reservations at a location', { locations: [berlin, { ...main, held: 1 }] }],
    ['locations that have not all pieces', { locations: [berlin] }],
  ])('is not right with %s', (_, change) => {
    expect(checkOf({ ...found, ...change }).ok).toBe(false);
  });
});
