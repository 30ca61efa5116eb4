/** Any sequence of decisions about places, bundles, queues and limits, against rules that are written down once more. */
import fc from 'fast-check';
import { ShelfStore } from '../../testing/shelf-store';
import { reserveForSaga } from '../reservations/reserve-for-saga';
import type { Reservation } from './reservation';
import type { Shelf } from './shelf';
import { merged, type Piece, type Stock, type StockLine, type StockPlace } from './stock';

const tenant = 'acme';
const usual = { tenant, reserved: 0, awaited: 0, backorderLimit: 0, customerLimit: null, version: 1 };
const plain = { ...usual, components: null, located: false };

const catalogue: Omit<Stock, 'onHand'>[] = [
  { ...plain, sku: 'cup', located: true },
  { ...plain, sku: 'pot', backorderLimit: 7 },
  { ...plain, sku: 'jug', customerLimit: 4 },
  { ...plain, sku: 'urn', located: true, backorderLimit: 5, customerLimit: 9 },
  { ...plain, sku: 'set', components: [line('cup', 2), line('pot', 1)] },
  { ...plain, sku: 'duo', components: [line('pot', 1), line('jug', 2)], customerLimit: 2 },
];
const places = ['east', 'main', 'west'];

const someLines = fc.uniqueArray(
  fc.record({
    sku: fc.constantFrom('pot', 'urn', 'pot', 'urn', 'cup', 'jug', 'set', 'duo'),
    quantity: fc.integer({ min: 1, max: 3 }),
  }),
  { minLength: 1, maxLength: 2, selector: ({ sku }) => sku },
);
const act = fc.record({
  verb: fc.constantFrom(
    ...(['reserve', 'reserve', 'reserve', 'order', 'order', 'order over', 'order over'] as const),
    ...(['release', 'expire', 'confirm', 'confirm', 'restock', 'arrive', 'deliver', 'deliver', 'fill'] as const),
  ),
  /** Which one of those that could be meant. */
  number: fc.nat({ max: 20 }),
  customer: fc.constantFrom('ann', 'bob', 'bob', undefined),
  lines: someLines,
  sku: fc.constantFrom('pot', 'pot', 'urn', 'urn', 'cup', 'jug'),
  place: fc.constantFrom(...places),
  quantity: fc.integer({ min: 1, max: 2 }),
  /** The batch ends here. What follows starts from the saved rows. */
  saved: fc.boolean(),
});
type Act = typeof act extends fc.Arbitrary<infer T> ? T : never;
const initial = fc.array(fc.nat({ max: 2 }), { minLength: 8, maxLength: 8 });

describe('R37 any sequence of reserving, ordering, taking over, ending, arriving and filling', () => {
  it('keeps every number the sum of what it stands for, and every promise within its limit', () => {
    fc.assert(
      fc.property(initial, fc.array(act, { maxLength: 60, size: 'max' }), (amounts, acts) => {
        const store = storeWith(amounts);
        let shelf = store.take();
        const save = () => {
          store.keep(shelf);
          expectRules(store);
          shelf = store.take();
        };
        for (const one of acts) {
          if (isDecision(one)) perform(shelf, one);
          else {
            save();
            if (one.verb !== 'fill') arrive(store, one);
            shelf = store.take();
            if (one.verb !== 'arrive') fill(store, shelf, one.sku);
            save();
          }
          if (one.saved) save();
        }
        save();
      }),
      { numRuns: 400 },
    );
  });

  it('reserves just when all pieces are there or may be awaited, and no customer gets too many', () => {
    fc.assert(
      fc.property(initial, fc.array(act, { maxLength: 25, size: 'max' }), someLines, (amounts, acts, lines) => {
        const store = storeWith(amounts);
        for (const one of acts) {
          const shelf = store.take();
          // Nobody fills the queues, so what has arrived must wait for those in them.
          if (isDecision(one)) perform(shelf, one);
          store.keep(shelf);
          if (!isDecision(one)) arrive(store, one);
        }
        const expected = expectedOutcome(store, lines, 'ann');
        const before = JSON.stringify(numbersOf(store));
        const next = store.take();
        expect(next.reserve({ tenant, id: 'new', lines, customer: 'ann', placedBy: 'carl' }).outcome).toBe(expected);
        store.keep(next);
        expectRules(store);
        if (expected !== 'reserved') expect(JSON.stringify(numbersOf(store))).toBe(before);
      }),
      { numRuns: 400 },
    );
  });

  it('says the same in one batch and one at a time', () => {
    fc.assert(
      fc.property(initial, fc.array(act, { maxLength: 40, size: 'max' }), (amounts, acts) => {
        const decisions = acts.filter(isDecision);
        const run = (eachSaved: boolean) => {
          const store = storeWith(amounts);
          let shelf = store.take();
          const said = decisions.map((one) => {
            const word = perform(shelf, one);
            if (!eachSaved) return word;
            store.keep(shelf);
            shelf = store.take();
            return word;
          });
          store.keep(shelf);
          const queue = store.queue.map(({ sku, reservationId, quantity }) => ({ sku, reservationId, quantity }));
          return { said, queue, ...numbersOf(store) };
        };
        expect(run(false)).toEqual(run(true));
      }),
      { numRuns: 400 },
    );
  });
});

function storeWith(amounts: readonly number[]): ShelfStore {
  const [cups, urns] = [amounts.slice(0, 3), amounts.slice(3, 6)];
  const placed = (sku: string, numbers: number[]): StockPlace[] =>
    places.map((place, index) => ({ tenant, sku, place, onHand: numbers[index]!, reserved: 0 }));
  const onHand: Record<string, number> = { cup: sum(cups), urn: sum(urns), pot: amounts[6]!, jug: amounts[7]! };
  const rows = catalogue.map((row) => ({ ...row, onHand: onHand[row.sku] ?? 0 }));
  const store = new ShelfStore(rows, [...placed('cup', cups), ...placed('urn', urns)]);
  for (const { sku, place, onHand: delta } of store.places) count(store, { sku, place, delta });
  for (const sku of ['pot', 'jug']) count(store, { sku, delta: onHand[sku]! });
  return store;
}

const count = (store: ShelfStore, movement: { sku: string; place?: string; delta: number }): void =>
  void store.movements.push({ tenant, reason: 'counted', cause: 'PUT', ...movement });

const isDecision = ({ verb }: Act): boolean => verb !== 'arrive' && verb !== 'deliver' && verb !== 'fill';

/** Whoever comes gets no pieces that have come for those who wait. */
function perform(shelf: Shelf, one: Act): string {
  const free = new Map(catalogue.map(({ sku }) => [sku, freeIn(shelf, sku)]));
  const before = shelf.newReservations.size;
  const said = decide(shelf, one);
  const made = [...shelf.newReservations].slice(before).filter(({ id }) => !isTakenOver(shelf, id));
  const got = merged(made.flatMap(({ pieces }) => pieces));
  expect(got.filter(({ sku, quantity }) => quantity > free.get(sku)!)).toEqual([]);
  return said;
}

function freeIn(shelf: Shelf, sku: string): number {
  const { onHand, reserved } = shelf.pieces.find(tenant, sku)!;
  return Math.max(0, onHand - reserved);
}

const isTakenOver = (shelf: Shelf, id: string): boolean =>
  madeIn(shelf, 'reservation').some(({ takenBy }) => takenBy === id);

function decide(shelf: Shelf, { verb, number, customer, lines }: Act): string {
  const [mine, orders] = [madeIn(shelf, 'reservation'), madeIn(shelf, 'order')];
  const isRepeat = number === 0 && orders.length > 0;
  const order = { tenant, reservationId: `order ${isRepeat ? 1 : orders.length + 1}`, lines, customer };
  switch (verb) {
    case 'reserve': {
      const id = `reservation ${mine.length + 1}`;
      return shelf.reserve({ tenant, id, lines, customer, placedBy: 'carl' }).outcome;
    }
    case 'order':
      return reserveForSaga(shelf, order, 60);
    case 'order over': {
      const held = pick(
        mine.filter(({ status }) => status === 'open' || number % 4 === 0),
        number,
      );
      const same = held && { lines: held.lines, customer: held.customer };
      return reserveForSaga(shelf, { ...order, ...same, takes: held?.id ?? 'nothing' }, 60);
    }
    case 'release':
    case 'expire':
    case 'confirm':
    case 'restock': {
      const meant = pick(
        [...mine, ...orders].filter((one) => isKept(one) || number % 4 === 0),
        number,
      );
      return shelf[verb](tenant, meant?.id ?? 'nothing');
    }
    default:
      throw new Error(`${verb} is no decision`);
  }
}

/** They are numbered from 1 on. */
function madeIn(shelf: Shelf, kind: 'reservation' | 'order'): Reservation[] {
  const made: Reservation[] = [];
  for (let one = shelf.find(tenant, `${kind} 1`); one; one = shelf.find(tenant, `${kind} ${made.length + 1}`))
    made.push(one);
  return made;
}

const pick = <T>(from: readonly T[], number: number): T | undefined => from[number % Math.max(1, from.length)];

function arrive(store: ShelfStore, { sku, place, quantity }: Act): void {
  const row = store.stock.get(sku)!;
  store.stock.set(sku, { ...row, onHand: row.onHand + quantity });
  if (!row.located) return count(store, { sku, delta: quantity });
  store.places = store.places.map((one) =>
    one.sku === sku && one.place === place ? { ...one, onHand: one.onHand + quantity } : one,
  );
  count(store, { sku, place, delta: quantity });
}

/** Those before the last one that gets pieces get all that they wait for, and nothing that has come stays unheld. */
function fill(store: ShelfStore, shelf: Shelf, sku: string): void {
  const queue = store.queueOf(sku);
  const { onHand, reserved, awaited } = store.stock.get(sku)!;
  shelf.fill(queue);
  const { filled } = shelf.backorders;
  expect(filled.map(({ position }) => position)).toEqual(queue.slice(0, filled.length).map(({ position }) => position));
  expect(filled.slice(0, -1).every(({ left }) => left === 0)).toBe(true);
  const given = sum(filled.map(({ left }, index) => queue[index]!.quantity - left));
  expect(given).toBe(Math.min(awaited, onHand - (reserved - awaited)));
}

function expectedOutcome(store: ShelfStore, lines: readonly StockLine[], customer: string): string {
  const needs = needsOf(lines);
  const isShort = [...needs].some(([sku, quantity]) => {
    const { onHand, reserved, awaited, backorderLimit } = store.stock.get(sku)!;
    return quantity > Math.max(0, onHand - reserved) + Math.max(0, backorderLimit - awaited);
  });
  if (isShort) return 'out_of_stock';
  const own = [...store.reservations.values()].filter((one) => one.customer === customer && isKept(one));
  const isTooMany = limitedOf(lines).some(([sku, quantity, limit]) => {
    const has = own.flatMap((one) => limitedOf(one.lines)).filter(([name]) => name === sku);
    return sum(has.map(([, pieces]) => pieces)) + quantity > limit;
  });
  return isTooMany ? 'limit_reached' : 'reserved';
}

/** What the lines need of each SKU that has pieces. */
function needsOf(lines: readonly StockLine[]): Map<string, number> {
  const needs = new Map<string, number>();
  for (const { sku, quantity } of lines)
    for (const part of rowOf(sku).components ?? [line(sku, 1)])
      needs.set(part.sku, (needs.get(part.sku) ?? 0) + part.quantity * quantity);
  return needs;
}

function limitedOf(lines: readonly StockLine[]): [sku: string, quantity: number, limit: number][] {
  const bundles = lines
    .filter(({ sku }) => rowOf(sku).components)
    .map(({ sku, quantity }): [string, number] => [sku, quantity]);
  return [...needsOf(lines), ...bundles].flatMap(([sku, quantity]) => {
    const { customerLimit } = rowOf(sku);
    return customerLimit === null ? [] : [[sku, quantity, customerLimit] as [string, number, number]];
  });
}

function expectRules(store: ShelfStore): void {
  const all = [...store.reservations.values()];
  const open = all.filter(({ status }) => status === 'open');
  const rows = [...store.stock.values()];
  expect([
    ...rows.flatMap((row) => faultsOfStock(store, row, open)),
    ...rows.filter(({ located }) => located).flatMap((row) => faultsOfPlaces(store, row, open)),
    ...all.filter(isKept).flatMap((one) => faultsOfReservation(store, one)),
    ...faultsOfHoldings(store, all),
    ...store.queue.filter(({ reservationId }) => !isKept(store.reservations.get(reservationId)!)),
  ]).toEqual([]);
}

/** The rule with what is found and what is expected, if they differ. */
function fault(rule: string, found: unknown, expected: unknown): string[] {
  const [is, should] = [JSON.stringify(found), JSON.stringify(expected)];
  return is === should ? [] : [`${rule}: ${is}, not ${should}`];
}

function faultsOfStock(store: ShelfStore, row: Stock, open: readonly Reservation[]): string[] {
  const { sku, onHand, reserved, awaited, backorderLimit } = row;
  const held = piecesOf(open, (piece) => piece.sku === sku);
  const waiting = sum(store.queueOf(sku).map(({ quantity }) => quantity));
  const moved = sum(store.movements.filter((one) => one.sku === sku).map(({ delta }) => delta));
  return [
    ...fault(`${sku}: on hand, reserved, awaited`, [onHand, reserved, awaited], [moved, held + waiting, waiting]),
    ...fault(`${sku}: what is held is there`, held <= onHand, true),
    ...fault(`${sku}: what is missing is within the limit`, reserved - onHand <= backorderLimit, true),
  ];
}

function faultsOfPlaces(store: ShelfStore, row: Stock, open: readonly Reservation[]): string[] {
  const own = store.places.filter(({ sku }) => sku === row.sku);
  const all = [sum(own.map(({ onHand }) => onHand)), sum(own.map(({ reserved }) => reserved))];
  return [
    ...fault(`${row.sku}: sums of places`, all, [row.onHand, row.reserved - row.awaited]),
    ...own.flatMap(({ sku, place, onHand, reserved }) => {
      const here = (one: { sku: string; place?: string }) => one.sku === sku && one.place === place;
      const moved = sum(store.movements.filter(here).map(({ delta }) => delta));
      const isThere = reserved >= 0 && reserved <= onHand;
      return fault(`${sku} at ${place}`, [onHand, reserved, isThere], [moved, piecesOf(open, here), true]);
    }),
  ];
}

function faultsOfReservation(store: ShelfStore, one: Reservation): string[] {
  const waits = store.queue.filter(({ reservationId }) => reservationId === one.id);
  const queued = waits.map(({ sku, quantity }) => line(sku, quantity));
  const has = merged([...one.pieces, ...one.awaited]);
  const needs = [...needsOf(one.lines)].map(([sku, quantity]) => line(sku, quantity));
  return [
    ...fault(`${one.id}: has and awaits what it needs`, byName(has), byName(needs)),
    ...fault(`${one.id}: waits in the queue`, byName(queued), byName(one.awaited)),
  ];
}

function faultsOfHoldings({ holdings }: ShelfStore, all: readonly Reservation[]): string[] {
  return catalogue.flatMap(({ sku, customerLimit }) =>
    ['ann', 'bob'].flatMap((customer) => {
      const own = all
        .filter((one) => one.customer === customer && isKept(one))
        .flatMap(({ lines }) => limitedOf(lines));
      const has = sum(own.flatMap(([name, pieces]) => (name === sku ? pieces : [])));
      const held = holdings.find((one) => one.sku === sku && one.customer === customer)?.quantity ?? 0;
      const isWithin = held <= (customerLimit ?? 0);
      return fault(`${sku} of ${customer}: what counts, within the limit`, [held, isWithin], [has, true]);
    }),
  );
}

function numbersOf({ stock, places: rows, reservations }: ShelfStore) {
  const told = [...reservations.values()].map(({ id, status, pieces, awaited }) => ({ id, status, pieces, awaited }));
  return { stock: [...stock.values()], places: rows, reservations: told };
}

const rowOf = (sku: string) => catalogue.find((row) => row.sku === sku)!;
const isKept = ({ status }: Reservation): boolean => status === 'open' || status === 'confirmed';
const piecesOf = (reservations: readonly Reservation[], isMeant: (piece: Piece) => boolean): number =>
  sum(reservations.flatMap(({ pieces }) => pieces.filter(isMeant)).map(({ quantity }) => quantity));
const byName = (lines: readonly StockLine[]) => [...lines].sort((one, other) => (one.sku < other.sku ? -1 : 1));
const sum = (numbers: readonly number[]): number => numbers.reduce((total, one) => total + one, 0);

function line(sku: string, quantity: number): StockLine {
  return { sku, quantity };
}
