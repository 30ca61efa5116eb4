/** The decisions about stock without a database: every verb in every state, and any sequence of verbs. */
import fc from 'fast-check';
import { type Reservation, type ReservationStatus, Warehouse, type Stock, type StockLine } from './warehouse';

const tenant = 'acme';
const id = 'r1';

const stockOf = (sku: string, onHand: number, reserved = 0, owner = tenant): Stock => ({
  tenant: owner,
  sku,
  onHand,
  reserved,
  version: 1,
});
const line = (sku: string, quantity: number): StockLine => ({ sku, quantity });

describe('R37 reserving', () => {
  it('takes all lines', () => {
    const [cup, pot] = [stockOf('cup', 5), stockOf('pot', 1)];
    const warehouse = new Warehouse([cup, pot], []);
    expect(warehouse.reserve(tenant, id, [line('cup', 2), line('pot', 1)])).toBe('reserved');
    expect([cup, pot]).toMatchObject([
      { onHand: 5, reserved: 2 },
      { onHand: 1, reserved: 1 },
    ]);
    expect([...warehouse.newReservations]).toEqual([
      { id, tenant, lines: [line('cup', 2), line('pot', 1)], status: 'open' },
    ]);
  });

  it.each([
    ['one line is too long', [line('cup', 1), line('pot', 2)]],
    ['nobody keeps one of them', [line('cup', 1), line('hat', 1)]],
  ])('takes none when %s', (_, lines) => {
    const [cup, pot] = [stockOf('cup', 5), stockOf('pot', 1)];
    const warehouse = new Warehouse([cup, pot], []);
    expect(warehouse.reserve(tenant, id, lines)).toBe('out_of_stock');
    expect([cup.reserved, pot.reserved]).toEqual([0, 0]);
    expect([warehouse.changedStock.size, warehouse.newReservations.size, warehouse.movements.length]).toEqual([
      0, 0, 0,
    ]);
  });

  it('adds up two lines of one SKU, which fit alone but not together', () => {
    const cup = stockOf('cup', 3);
    expect(new Warehouse([cup], []).reserve(tenant, id, [line('cup', 2), line('cup', 2)])).toBe('out_of_stock');
    const warehouse = new Warehouse([cup], []);
    expect(warehouse.reserve(tenant, id, [line('cup', 2), line('cup', 1)])).toBe('reserved');
    expect(cup.reserved).toBe(3);
    expect([...warehouse.newReservations][0]?.lines).toEqual([line('cup', 3)]);
  });

  it('counts only what nobody else has reserved, down to the last piece', () => {
    const warehouse = new Warehouse([stockOf('cup', 3, 2)], []);
    expect(warehouse.reserve(tenant, 'r1', [line('cup', 2)])).toBe('out_of_stock');
    expect(warehouse.reserve(tenant, 'r2', [line('cup', 1)])).toBe('reserved');
    expect(warehouse.reserve(tenant, 'r3', [line('cup', 1)])).toBe('out_of_stock');
  });

  it('does not see the stock of another tenant', () => {
    const warehouse = new Warehouse([stockOf('cup', 5, 0, 'rival')], []);
    expect(warehouse.reserve(tenant, id, [line('cup', 1)])).toBe('out_of_stock');
  });

  it.each<[ReservationStatus, 'reserved' | 'undone']>([
    ['open', 'reserved'],
    ['confirmed', 'reserved'],
    ['restocked', 'reserved'],
    ['released', 'undone'],
  ])('under the id of a reservation that is %s changes nothing and says %s', (status, said) => {
    const { warehouse, cup } = warehouseWith(status);
    const before = { ...cup };
    expect(warehouse.reserve(tenant, id, [line('cup', 2)])).toBe(said);
    expect(cup).toEqual(before);
    expect(warehouse.newReservations.size).toBe(0);
  });
});

/** Ten cups. Two of them are in the reservation, if it is open. */
function warehouseWith(status: ReservationStatus) {
  const cup = stockOf('cup', 10, status === 'open' ? 2 : 0);
  const reservation: Reservation = { id, tenant, lines: [line('cup', 2)], status };
  return { warehouse: new Warehouse([cup], [reservation]), cup, reservation };
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
    const { warehouse, cup, reservation } = warehouseWith(status);
    const before = { ...cup };
    expect(warehouse[verb](tenant, id)).toBe(said);
    expect(reservation.status).toBe(becomes);
    expect(cup).toMatchObject({ onHand: before.onHand + onHand, reserved: before.reserved + reserved });
    expect(warehouse.movements.map(({ delta }) => delta)).toEqual(onHand === 0 ? [] : [onHand]);
    expect(warehouse.changedReservations.has(reservation)).toBe(becomes !== status);
  });

  it("of another tenant's reservation changes nothing", () => {
    const { warehouse, reservation } = warehouseWith('open');
    expect(verbs.map((verb) => warehouse[verb]('other', id))).toEqual([
      'nothing_held',
      'reservation_expired',
      'nothing_sold',
    ]);
    expect(reservation.status).toBe('open');
  });

  it('of a reservation that never was changes nothing', () => {
    const warehouse = new Warehouse([stockOf('cup', 10)], []);
    expect(verbs.map((verb) => warehouse[verb](tenant, 'unknown'))).toEqual([
      'nothing_held',
      'reservation_expired',
      'nothing_sold',
    ]);
    expect([warehouse.changedStock.size, warehouse.changedReservations.size, warehouse.movements.length]).toEqual([
      0, 0, 0,
    ]);
  });
});

describe('one batch', () => {
  it('changes a row once, however many reservations do', () => {
    const cup = stockOf('cup', 10);
    const warehouse = new Warehouse([cup], []);
    for (const one of ['r1', 'r2', 'r3']) warehouse.reserve(tenant, one, [line('cup', 1)]);
    warehouse.confirm(tenant, 'r2');
    expect([...warehouse.changedStock]).toEqual([cup]);
    expect(cup).toMatchObject({ onHand: 9, reserved: 2 });
  });

  it('changes a reservation once, however often it moves', () => {
    const { warehouse, reservation } = warehouseWith('open');
    warehouse.confirm(tenant, id);
    warehouse.restock(tenant, id);
    expect([...warehouse.changedReservations]).toEqual([reservation]);
    expect(reservation.status).toBe('restocked');
  });

  it('writes a reservation that it makes and confirms as one new row', () => {
    const warehouse = new Warehouse([stockOf('cup', 10)], []);
    warehouse.reserve(tenant, id, [line('cup', 1)]);
    warehouse.confirm(tenant, id);
    expect([...warehouse.newReservations]).toMatchObject([{ id, status: 'confirmed' }]);
    expect(warehouse.changedReservations.size).toBe(0);
  });
});

it('R37 fails loudly where the stock row of a reserved SKU is missing', () => {
  const warehouse = new Warehouse([], [{ id, tenant, lines: [line('jug', 2)], status: 'open' }]);
  expect(() => warehouse.confirm(tenant, id)).toThrow('the stock row of a reserved SKU is missing: jug');
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
        let warehouse = store.take();
        for (const { verb, id: one, lines: wanted, saved } of acts) {
          if (verb === 'reserve') warehouse.reserve(tenant, one, wanted);
          else warehouse[verb](tenant, one);
          if (!saved) continue;
          store.keep(warehouse);
          warehouse = store.take();
        }
        store.keep(warehouse);
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
          let warehouse = store.take();
          const said = acts.map(({ verb, id: one, lines: wanted }) => {
            const word = verb === 'reserve' ? warehouse.reserve(tenant, one, wanted) : warehouse[verb](tenant, one);
            if (eachSaved) {
              store.keep(warehouse);
              warehouse = store.take();
            }
            return word;
          });
          store.keep(warehouse);
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

  take(): Warehouse {
    return new Warehouse(structuredClone([...this.stock.values()]), structuredClone([...this.reservations.values()]));
  }

  /** Stores all rows or none, like the checks of the table. */
  keep(warehouse: Warehouse): void {
    const changed = [...warehouse.changedStock];
    if (changed.some(({ onHand, reserved }) => reserved < 0 || onHand < reserved)) throw new Error('stock_check');
    for (const row of changed) this.stock.set(row.sku, row);
    for (const row of warehouse.newReservations) {
      if (this.reservations.has(row.id)) throw new Error('two reservations with one id');
      this.reservations.set(row.id, row);
    }
    for (const row of warehouse.changedReservations) this.reservations.set(row.id, row);
    this.movements.push(...warehouse.movements);
  }

  pieces(sku: string, status: ReservationStatus): number {
    const held = [...this.reservations.values()].filter((one) => one.status === status).flatMap((one) => one.lines);
    return held.filter((one) => one.sku === sku).reduce((sum, { quantity }) => sum + quantity, 0);
  }

  moved(sku: string): number {
    return this.movements.filter((one) => one.sku === sku).reduce((sum, { delta }) => sum + delta, 0);
  }
}
