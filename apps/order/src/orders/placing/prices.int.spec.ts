/** Orders get the current prices, through two replicas without timers on one database. */
import { randomUUID } from 'node:crypto';
import type { Outcome } from '@shop/idempotency';
import { createDatabase, type Database, traffic } from '@shop/postgres';
import { useStack } from '@shop/testing';
import { putPrice } from '../../../testing/catalogue';
import {
  bodyOf,
  type LoneReplica,
  openLoneReplica,
  placeWith as place,
  type Wish,
} from '../../../testing/lone-replica';
import { createOrderTables } from '../../../testing/order-schema';

const stack = useStack({ migrate: createOrderTables });

let here: LoneReplica;
let there: LoneReplica;
/** A connection for the catalogue that belongs to no replica. */
let catalogue: Database;

beforeAll(async () => {
  [here, there] = await Promise.all([openLoneReplica(stack.databaseUrl), openLoneReplica(stack.databaseUrl)]);
  catalogue = createDatabase({ url: stack.databaseUrl, applicationName: 'test' });
  await catalogue.connect();
});
afterAll(() => Promise.all([here, there, catalogue].map((one) => one.close())));

const newSku = () => `sku-${randomUUID()}`;

/** Creates the product, or changes it. */
async function price(sku: string, amount: number, currency = 'EUR', tenant = 'acme'): Promise<string> {
  await putPrice(catalogue, tenant, sku, { amount, currency });
  return sku;
}

async function newPromotion(): Promise<string> {
  const code = `P-${randomUUID().toUpperCase()}`;
  const insert = `insert into promotion (tenant, code, kind, percent, combinable) values ('acme', $1, 'percent', 10, true)`;
  await catalogue.query({ name: 'test.insert-promotion', text: insert }, [code]);
  return code;
}

/** A cart of one piece. */
async function newCart(sku: string, codes: string[] = []): Promise<string> {
  const id = randomUUID();
  const insert = `insert into cart (tenant, id, placed_by, customer_id, items) values ('acme', $1, 'alice', 'alice', $2)`;
  const promote = `insert into cart_promotion (tenant, cart_id, code) select 'acme', $1, unnest($2::text[])`;
  await catalogue.query({ name: 'test.insert-cart', text: insert }, [id, JSON.stringify([{ sku, quantity: 1 }])]);
  await catalogue.query({ name: 'test.promote-cart', text: promote }, [id, codes]);
  return id;
}

const totalOf = (outcome: Outcome): number => bodyOf(outcome).total.amount;

async function roundTripsOf(work: Promise<unknown>): Promise<number> {
  const before = traffic.roundTrips;
  await work;
  return traffic.roundTrips - before;
}

describe('R35 an order', () => {
  it('is two round trips, alone or in a batch: one to read the prices, one to write', async () => {
    const [cup, pot] = [await price(newSku(), 100), await price(newSku(), 200)];
    expect(await roundTripsOf(place(here, [cup, pot]))).toBe(2);
    expect(await roundTripsOf(Promise.all([place(here, [cup]), place(here, [cup, pot]), place(here, [pot])]))).toBe(2);
  });

  it('is one more round trip when the batch has carts: their prices and promotions are read under their locks', async () => {
    const sku = await price(newSku(), 100);
    const codes = [await newPromotion(), await newPromotion()];
    const wishes = [{ cartId: await newCart(sku, codes) }, { cartId: await newCart(sku) }, {}];
    let placed: Outcome[] = [];
    const placing = Promise.all(wishes.map((wish) => place(here, [sku], wish))).then((outcomes) => (placed = outcomes));
    expect(await roundTripsOf(placing)).toBe(3);
    expect(placed.map(totalOf)).toEqual([80, 100, 100]);
  });

  it('is complete: its row, its saga with a history, and its answer', async () => {
    const order = bodyOf(await place(here, [await price(newSku(), 100)]));
    expect(await rowsOf(order.id)).toEqual([{ orders: 1, sagas: 1, histories: 1, answers: 1 }]);
  });

  it('is at the price that was changed through another replica, the first time already', async () => {
    const sku = await price(newSku(), 100);
    await place(here, [sku]);
    await price(sku, 150);
    expect(totalOf(await place(here, [sku]))).toBe(150);
  });

  it('is in the currency that was changed', async () => {
    const sku = await price(newSku(), 100);
    await place(here, [sku]);
    await price(sku, 100, 'USD');
    expect(bodyOf(await place(here, [sku])).total).toEqual({ amount: 100, currency: 'USD' });
  });

  it('is at a price that was true while it was placed, whoever changes it meanwhile', async () => {
    const sku = await price(newSku(), 100);
    let [begun, done] = [100, 100];
    let over = false;
    const changing = (async () => {
      while (!over) {
        await price(sku, ++begun);
        done = begun;
      }
    })();
    for (let round = 0; round < 100; round++) {
      const from = done;
      const totals = await Promise.all([place(here, [sku]), place(there, [sku]), place(here, [sku])]);
      for (const total of totals.map(totalOf)) {
        expect(total).toBeGreaterThanOrEqual(from);
        expect(total).toBeLessThanOrEqual(begun);
      }
    }
    over = true;
    await changing;
    expect(begun).toBeGreaterThan(110);
  });

  it('R54 is at the price of its own tenant', async () => {
    const sku = await price(newSku(), 100);
    await price(sku, 999, 'EUR', 'rival');
    const totals: number[] = [];
    for (const tenant of ['acme', 'rival', 'acme', 'rival']) totals.push(totalOf(await place(here, [sku], { tenant })));
    expect(totals).toEqual([100, 999, 100, 999]);
  });
});

describe('R35 R38 an order that nobody could pay', () => {
  it.each<[string, number, string]>([
    ['total_too_large', 100_000_000, 'EUR'],
    ['total_too_large', 1_000_000, 'ISK'],
    ['currency_not_supported', 1_000, 'KPW'],
    ['amount_not_payable', 1_001, 'KWD'],
  ])('is refused at the door, and no saga begins: %s', async (code, amount, currency) => {
    const outcome = await place(here, [await price(newSku(), amount, currency)]);
    expect(outcome).toMatchObject({ kind: 'fresh', answer: { status: 422 } });
    expect(bodyOf(outcome)).toMatchObject({ code });
  });

  it('is one euro cent beyond the largest that is accepted', async () => {
    expect(totalOf(await place(here, [await price(newSku(), 99_999_999)]))).toBe(99_999_999);
  });
});

describe('R19 a refusal', () => {
  it('for two currencies ends when they are one by now', async () => {
    const [cup, tea] = [await price(newSku(), 100), await price(newSku(), 100, 'USD')];
    expect(bodyOf(await place(here, [cup, tea]))).toMatchObject({ code: 'mixed_currencies' });
    await price(tea, 100, 'EUR');
    expect(totalOf(await place(here, [cup, tea]))).toBe(200);
  });

  it('for an unknown SKU ends when the catalogue has it by now', async () => {
    const [cup, hat] = [await price(newSku(), 100), newSku()];
    expect(bodyOf(await place(here, [cup, hat]))).toMatchObject({ code: 'unknown_sku', skus: [hat] });
    await price(hat, 50);
    expect(totalOf(await place(here, [cup, hat]))).toBe(150);
  });

  it('of a PUT is not kept: its id may be used when the prices fit', async () => {
    const [cup, tea] = [await price(newSku(), 100), await price(newSku(), 100, 'USD')];
    const id = randomUUID();
    expect(bodyOf(await place(here, [cup, tea], { id }))).toMatchObject({ code: 'mixed_currencies' });
    await price(tea, 100, 'EUR');
    expect(totalOf(await place(here, [cup, tea], { id }))).toBe(200);
  });
});

describe('R12 a repeat', () => {
  it('gets the first answer through any replica, also when the price has changed since', async () => {
    const sku = await price(newSku(), 100);
    const key = randomUUID();
    const first = await place(here, [sku], { key });
    await price(sku, 150);
    for (const replica of [here, there, there]) {
      const repeat = await place(replica, [sku], { key });
      expect([repeat.kind, bodyOf(repeat)]).toEqual(['replayed', bodyOf(first)]);
    }
  });

  it('through another replica gets a refusal again, and another request under the key is refused', async () => {
    const [sku, hat] = [await price(newSku(), 100), newSku()];
    const key = randomUUID();
    const first = await place(here, [hat], { key });
    const repeat = await place(there, [hat], { key });
    expect([repeat.kind, bodyOf(repeat)]).toEqual(['replayed', bodyOf(first)]);
    expect(await place(there, [sku], { key })).toEqual({ kind: 'reused' });
    const placed = randomUUID();
    await place(here, [sku], { key: placed });
    expect(await place(there, [hat], { key: placed })).toEqual({ kind: 'reused' });
  });
});

describe('R35 each of a batch', () => {
  it('gets its own answer: new, at a changed price, refused, repeated, and with an id of its own', async () => {
    const [cup, pot, tea] = [
      await price(newSku(), 100),
      await price(newSku(), 1_000),
      await price(newSku(), 100, 'USD'),
    ];
    const [mine, foreign] = [randomUUID(), randomUUID()];
    const firsts = [await place(here, [cup], { key: mine }), await place(there, [cup], { key: foreign })];
    await price(pot, 2_000);
    const wishes: [string[], Wish?][] = [
      [[cup]],
      [[cup, pot]],
      [[pot], { id: randomUUID() }],
      [[cup, tea]],
      [[cup, newSku()]],
      [[cup], { key: mine }],
      [[cup], { key: foreign }],
    ];
    const outcomes = await Promise.all(wishes.map((wish) => place(here, ...wish)));
    expect(outcomes.slice(0, 3).map(totalOf)).toEqual([100, 2_100, 2_000]);
    expect(outcomes.slice(3, 5).map((outcome) => bodyOf(outcome)['code'])).toEqual(['mixed_currencies', 'unknown_sku']);
    expect(outcomes.slice(5).map((outcome) => [outcome.kind, bodyOf(outcome)])).toEqual(
      firsts.map((first) => ['replayed', bodyOf(first)]),
    );
  });
});

const rowsOf = (orderId: string) =>
  catalogue.dataSource.query<object[]>(
    `select (select count(*)::int from orders where id = $1) as orders,
            (select count(*)::int from saga where id = $1) as sagas,
            (select count(*)::int from saga_history where saga_id = $1) as histories,
            (select count(*)::int from ledger where answer_body like '%' || $1 || '%') as answers`,
    [orderId],
  );
