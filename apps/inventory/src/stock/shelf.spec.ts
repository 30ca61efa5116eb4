/** The decisions about stock without a database: every verb in every state, and any sequence of verbs. */
import fc from 'fast-check';
import type { Reservation, ReservationStatus } from './reservation';
import { reserveForSaga } from '../reservations/reserve-for-saga';
import { Shelf } from './shelf';
import type { Stock, StockLine } from './stock';

const tenant = 'acme';
const id = 'r1';

const stockOf = (sku: string, onHand: number, reserved = 0, owner = tenant): Stock => ({
  tenant: owner,
  sku,
  onHand,
  reserved,
  awaited: 0,
  backorderLimit: 0,
  customerLimit: null,
  components: null,
  located: false,
  version: 1,
});
const line = (sku: string, quantity: number): StockLine => ({ sku, quantity });

const reservationOf = (lines: StockLine[], status: ReservationStatus): Reservation => ({
  ...{ tenant, id, lines, status, pieces: lines, awaited: [], counted: [], version: 1 },
});

/** With the words of the commands of a saga. */
class TestShelf {
  readonly shelf: Shelf;

  constructor(stock: readonly Stock[], reservations: readonly Reservation[]) {
    this.shelf = new Shelf({ stock, reservations });
  }

  reserve(tenant: string, reservationId: string, lines: readonly StockLine[]) {
    return reserveForSaga(this.shelf, { tenant, reservationId, lines: [...lines] }, 60);
  }
  release = (tenant: string, id: string) => this.shelf.release(tenant, id);
  confirm = (tenant: string, id: string) => this.shelf.confirm(tenant, id);
  restock = (tenant: string, id: string) => this.shelf.restock(tenant, id);
  get changedStock() {
    return this.shelf.pieces.changedStock;
  }
  get movements() {
    return this.shelf.pieces.movements;
  }
  get newReservations() {
    return this.shelf.newReservations;
  }
  get changedReservations() {
    return this.shelf.changedReservations;
  }
}

describe('R37 reserving', () => {
  it('takes all lines', () => {
    const [cup, pot] = [stockOf('cup', 5), stockOf('pot', 1)];
    const shelf = new TestShelf([cup, pot], []);
    expect(shelf.reserve(tenant, id, [line('cup', 2), line('pot', 1)])).toBe('reserved');
    expect([cup, pot]).toMatchObject([
      { onHand: 5, reserved: 2 },
      { onHand: 1, reserved: 1 },
    ]);
    expect([...shelf.newReservations]).toEqual([
      { ...reservationOf([line('cup', 2), line('pot', 1)], 'open'), expiresInSeconds: 60 },
    ]);
  });

  it.each([
    ['one line is too long', [line('cup', 1), line('pot', 2)]],
    ['nobody keeps one of them', [line('cup', 1), line('hat', 1)]],
  ])('takes none when %s', (_, lines) => {
    const [cup, pot] = [stockOf('cup', 5), stockOf('pot', 1)];
    const shelf = new TestShelf([cup, pot], []);
    expect(shelf.reserve(tenant, id, lines)).toBe('out_of_stock');
    expect([cup.reserved, pot.reserved]).toEqual([0, 0]);
    expect([shelf.changedStock.size, shelf.newReservations.size, shelf.movements.length]).toEqual([0, 0, 0]);
  });

  it('adds up two lines of one SKU, which fit alone but not together', () => {
    const cup = stockOf('cup', 3);
    expect(new TestShelf([cup], []).reserve(tenant, id, [line('cup', 2), line('cup', 2)])).toBe('out_of_stock');
    const shelf = new TestShelf([cup], []);
    expect(shelf.reserve(tenant, id, [line('cup', 2), line('cup', 1)])).toBe('reserved');
    expect(cup.reserved).toBe(3);
    expect([...shelf.newReservations][0]?.lines).toEqual([line('cup', 3)]);
  });

  it('counts only what nobody else has reserved, down to the last piece', () => {
    const shelf = new TestShelf([stockOf('cup', 3, 2)], []);
    expect(shelf.reserve(tenant, 'r1', [line('cup', 2)])).toBe('out_of_stock');
    expect(shelf.reserve(tenant, 'r2', [line('cup', 1)])).toBe('reserved');
    expect(shelf.reserve(tenant, 'r3', [line('cup', 1)])).toBe('out_of_stock');
  });

  it('does not see the stock of another tenant', () => {
    const shelf = new TestShelf([stockOf('cup', 5, 0, 'rival')], []);
    expect(shelf.reserve(tenant, id, [line('cup', 1)])).toBe('out_of_stock');
  });

  it.each<[ReservationStatus, 'reserved' | 'undone' | 'reservation_expired']>([
    ['open', 'reserved'],
    ['confirmed', 'reserved'],
    ['restocked', 'reserved'],
    ['released', 'undone'],
    ['expired', 'reservation_expired'],
  ])('under the id of a reservation that is %s changes nothing and says %s', (status, said) => {
    const { shelf, cup } = shelfWith(status);
    const before = { ...cup };
    expect(shelf.reserve(tenant, id, [line('cup', 2)])).toBe(said);
    expect(cup).toEqual(before);
    expect(shelf.newReservations.size).toBe(0);
  });
});

/** Ten cups. Two of them are in the reservation, if it is open. */
function shelfWith(status: ReservationStatus) {
  const cup = stockOf('cup', 10, status === 'open' ? 2 : 0);
  const reservation = reservationOf([line('cup', 2)], status);
  return { shelf: new TestShelf([cup], [reservation]), cup, reservation };
}

type Verb = 'release' | 'confirm' | 'restock';
const verbs: Verb[] = ['release', 'confirm', 'restock'];

describe('R3 each verb in each state', () => {
  it.each<[Verb, ReservationStatus, said: string, becomes: ReservationStatus, onHand: number, reserved: number]>([
    ['release', 'open', 'released', 'released', 0, -2],
    ['release', 'confirmed', 'nothing_held', 'confirmed', 0, 0],
    ['release', 'released', 'nothing_held', 'released', 0, 0],
    ['release', 'restocked', 'nothing_held', 'restocked', 0, 0],
    ['confirm', 'open', 'confirmed', 'confirmed', -2, -2],
    ['confirm', 'confirmed', 'confirmed', 'confirmed', 0, 0],
    ['confirm', 'released', 'reservation_expired', 'released', 0, 0],
    ['confirm', 'restocked', 'reservation_expired', 'restocked', 0, 0],
    ['restock', 'open', 'nothing_sold', 'open', 0, 0],
    ['restock', 'confirmed', 'restocked', 'restocked', 2, 0],
    ['restock', 'released', 'nothing_sold', 'released', 0, 0],
    ['restock', 'restocked', 'nothing_sold', 'restocked', 0, 0],
  ])('%s of one that is %s says %s and leaves it %s', (verb, status, said, becomes, onHand, reserved) => {
    const { shelf, cup, reservation } = shelfWith(status);
    const before = { ...cup };
    expect(shelf[verb](tenant, id)).toBe(said);
    expect(reservation.status).toBe(becomes);
    expect(cup).toMatchObject({ onHand: before.onHand + onHand, reserved: before.reserved + reserved });
    expect(shelf.movements.map(({ delta }) => delta)).toEqual(onHand === 0 ? [] : [onHand]);
    expect(shelf.changedReservations.has(reservation)).toBe(becomes !== status);
  });

  it("of another tenant's reservation changes nothing", () => {
    const { shelf, reservation } = shelfWith('open');
    expect(verbs.map((verb) => shelf[verb]('other', id))).toEqual([
      'nothing_held',
      'reservation_expired',
      'nothing_sold',
    ]);
    expect(reservation.status).toBe('open');
  });

  it('of a reservation that never was changes nothing', () => {
    const shelf = new TestShelf([stockOf('cup', 10)], []);
    expect(verbs.map((verb) => shelf[verb](tenant, 'unknown'))).toEqual([
      'nothing_held',
      'reservation_expired',
      'nothing_sold',
    ]);
    expect([shelf.changedStock.size, shelf.changedReservations.size, shelf.movements.length]).toEqual([0, 0, 0]);
  });
});

describe('R37 taking over', () => {
  const held = (rest: Partial<Reservation> = {}): Reservation => ({
    ...{ ...reservationOf([line('cup', 2)], 'open'), placedBy: 'carl', customer: 'ann', pieces: [line('cup', 2)] },
    ...rest,
  });
  const order = { tenant, id: 'order', lines: [line('cup', 1), line('cup', 1)], customer: 'ann', expiresInSeconds: 60 };
  const shelfOf = (one: Reservation) => new Shelf({ stock: [stockOf('cup', 5, 2)], reservations: [one] });

  it('gives all that is held to the order, and the stock does not change', () => {
    const old = held({ awaited: [line('cup', 1)], counted: [line('cup', 2)] });
    const shelf = shelfOf(old);
    expect(shelf.takeOver(order, id)).toBe('reserved');
    expect(old).toMatchObject({ status: 'taken', takenBy: 'order' });
    const made = { id: 'order', status: 'open', pieces: old.pieces, awaited: old.awaited, counted: old.counted };
    expect([...shelf.newReservations]).toMatchObject([{ ...made, lines: [line('cup', 2)], customer: 'ann' }]);
    expect(shelf.backorders.handedOver).toEqual([{ tenant, reservationId: id, to: 'order' }]);
    expect(shelf.pieces.changedStock.size).toBe(0);
  });

  it.each<[string, Partial<Reservation>, string]>([
    ['released', { status: 'released' }, 'reservation_expired'],
    ['expired', { status: 'expired' }, 'reservation_expired'],
    ['taken', { status: 'taken' }, 'reservation_used'],
    ['confirmed', { status: 'confirmed' }, 'reservation_used'],
    ['made by a saga', { placedBy: undefined }, 'reservation_mismatch'],
    ['for another customer', { customer: 'bob' }, 'reservation_mismatch'],
    ['for fewer pieces', { lines: [line('cup', 1)] }, 'reservation_mismatch'],
    ['for something more', { lines: [line('cup', 2), line('pot', 1)] }, 'reservation_mismatch'],
    ['of another tenant', { tenant: 'rival' }, 'reservation_expired'],
  ])('of one that is %s changes nothing', (_, rest, said) => {
    const shelf = shelfOf(held(rest));
    expect(shelf.takeOver(order, id)).toBe(said);
    expect([shelf.changedReservations.size, shelf.newReservations.size]).toEqual([0, 0]);
  });

  it('may be of one that was made for nobody in particular', () => {
    expect(shelfOf(held({ customer: undefined })).takeOver(order, id)).toBe('reserved');
  });
});

describe('one batch', () => {
  it('changes a row once, however many reservations do', () => {
    const cup = stockOf('cup', 10);
    const shelf = new TestShelf([cup], []);
    for (const one of ['r1', 'r2', 'r3']) shelf.reserve(tenant, one, [line('cup', 1)]);
    shelf.confirm(tenant, 'r2');
    expect([...shelf.changedStock]).toEqual([cup]);
    expect(cup).toMatchObject({ onHand: 9, reserved: 2 });
  });

  it('changes a reservation once, however often it moves', () => {
    const { shelf, reservation } = shelfWith('open');
    shelf.confirm(tenant, id);
    shelf.restock(tenant, id);
    expect([...shelf.changedReservations]).toEqual([reservation]);
    expect(reservation.status).toBe('restocked');
  });

  it('writes a reservation that it makes and confirms as one new row', () => {
    const shelf = new TestShelf([stockOf('cup', 10)], []);
    shelf.reserve(tenant, id, [line('cup', 1)]);
    shelf.confirm(tenant, id);
    expect([...shelf.newReservations]).toMatchObject([{ id, status: 'confirmed' }]);
    expect(shelf.changedReservations.size).toBe(0);
  });
});

it('R37 fails loudly where the stock row of a reserved SKU is missing', () => {
  const shelf = new TestShelf([], [reservationOf([line('jug', 2)], 'open')]);
  expect(() => shelf.confirm(tenant, id)).toThrow('the stock row of a reserved SKU is missing: jug');
});

describe('R37 any sequence of verbs', () => {
  const skus = ['cup', 'pot', 'jug'];
  const lines = fc.array(fc.record({ sku: fc.constantFrom(...skus), quantity: fc.integer({ min: 1, max: 4 }) }), {
    minLength: 1,
    maxLength: 4,
  });
  const act = fc.record({
    verb: fc.constantFrom('reserve' as const, ...verbs),
    id: fc.constantFrom('r1', 'r2', 'r3', 'r4'),
    lines,
    /** The batch ends here. What follows starts from the saved rows. */
    saved: fc.boolean(),
  });
  const initial = fc.tuple(...skus.map(() => fc.integer({ min: 0, max: 12 })));

  it('keeps 0 ≤ reserved ≤ on hand, reserved = Σ open, on hand = initial − confirmed + restocked', () => {
    fc.assert(
      fc.property(initial, fc.array(act, { maxLength: 40 }), (onHand, acts) => {
        const store = new Store(skus.map((sku, index) => stockOf(sku, onHand[index]!)));
        let shelf = store.take();
        for (const { verb, id: one, lines: wanted, saved } of acts) {
          if (verb === 'reserve') shelf.reserve(tenant, one, wanted);
          else shelf[verb](tenant, one);
          if (!saved) continue;
          store.keep(shelf);
          shelf = store.take();
        }
        store.keep(shelf);
        skus.forEach((sku, index) => {
          const row = store.stock.get(sku)!;
          expect(row.reserved).toBeGreaterThanOrEqual(0);
          expect(row.reserved).toBeLessThanOrEqual(row.onHand);
          expect(row.reserved).toBe(store.pieces(sku, 'open'));
          expect(row.onHand).toBe(onHand[index]! - store.pieces(sku, 'confirmed'));
          expect(row.onHand).toBe(onHand[index]! + store.moved(sku));
        });
      }),
      { numRuns: 500 },
    );
  });

  it('says the same in one batch and one at a time', () => {
    fc.assert(
      fc.property(initial, fc.array(act, { maxLength: 25 }), (onHand, acts) => {
        const run = (eachSaved: boolean) => {
          const store = new Store(skus.map((sku, index) => stockOf(sku, onHand[index]!)));
          let shelf = store.take();
          const said = acts.map(({ verb, id: one, lines: wanted }) => {
            const word = verb === 'reserve' ? shelf.reserve(tenant, one, wanted) : shelf[verb](tenant, one);
            if (eachSaved) {
              store.keep(shelf);
              shelf = store.take();
            }
            return word;
          });
          store.keep(shelf);
          return { said, stock: [...store.stock.values()].map(({ version: _, ...row }) => row) };
        };
        expect(run(false)).toEqual(run(true));
      }),
    );
  });
});

/** The tables as a map. It stores the changes of a batch, and returns copies. */
class Store {
  readonly stock: Map<string, Stock>;
  private readonly reservations = new Map<string, Reservation>();
  private readonly movements: { sku: string; delta: number }[] = [];

  constructor(stock: Stock[]) {
    this.stock = new Map(stock.map((row) => [row.sku, row]));
  }

  take(): TestShelf {
    return new TestShelf(structuredClone([...this.stock.values()]), structuredClone([...this.reservations.values()]));
  }

  /** Stores all rows or none, like the checks of the table. */
  keep(shelf: TestShelf): void {
    const changed = [...shelf.changedStock];
    if (changed.some(({ onHand, reserved }) => reserved < 0 || onHand < reserved)) throw new Error('stock_check');
    for (const row of changed) this.stock.set(row.sku, row);
    for (const row of shelf.newReservations) {
      if (this.reservations.has(row.id)) throw new Error('two reservations with one id');
      this.reservations.set(row.id, row);
    }
    for (const row of shelf.changedReservations) this.reservations.set(row.id, row);
    this.movements.push(...shelf.movements);
  }

  pieces(sku: string, status: ReservationStatus): number {
    const held = [...this.reservations.values()].filter((one) => one.status === status).flatMap((one) => one.lines);
    return held.filter((one) => one.sku === sku).reduce((sum, { quantity }) => sum + quantity, 0);
  }

  moved(sku: string): number {
    return this.movements.filter((one) => one.sku === sku).reduce((sum, { delta }) => sum + delta, 0);
  }
}
