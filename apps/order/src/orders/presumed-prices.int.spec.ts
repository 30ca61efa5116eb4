/** Orders at prices that are remembered and not read, through two replicas without timers on one database. */
import { randomUUID } from 'node:crypto';
import type { Outcome } from '@shop/idempotency';
import { createDatabase, type Database, traffic } from '@shop/postgres';
import { useStack } from '@shop/testing';
import { bodyOf, type LoneReplica, openLoneReplica, placeWith as place, type Wish } from '../../testing/lone-replica';
import { createOrderTables } from '../../testing/order-schema';
import { findProduct, insertProduct, updateProduct } from '../products/product';

const stack = useStack({ migrate: createOrderTables });

let here: LoneReplica;
let there: LoneReplica;
/** Of nobody in particular. */
let catalogue: Database;

beforeAll(async () => {
  [here, there] = await Promise.all([openLoneReplica(stack.databaseUrl), openLoneReplica(stack.databaseUrl)]);
  catalogue = createDatabase({ url: stack.databaseUrl, applicationName: 'test' });
  await catalogue.connect();
});
afterAll(() => Promise.all([here, there, catalogue].map((one) => one.close())));
afterEach(() => here.database.undisturbed());

const newSku = () => `sku-${randomUUID()}`;

/** Creates the product, or changes it. */
async function price(sku: string, amount: number, currency = 'EUR', tenant = 'acme'): Promise<string> {
  const body = { name: sku, unitPrice: { amount, currency } };
  const current = await findProduct(catalogue, tenant, sku);
  if (current) await updateProduct(catalogue, tenant, current, body);
  else await insertProduct(catalogue, tenant, sku, body);
  return sku;
}

const totalOf = (outcome: Outcome): number => bodyOf(outcome).total.amount;

async function tripsOf(work: Promise<unknown>): Promise<number> {
  const before = traffic.trips;
  await work;
  return traffic.trips - before;
}

describe('R35 an order', () => {
  it('is two trips when its prices are to be read, and one when they are remembered', async () => {
    const sku = await price(newSku(), 100);
    expect(await tripsOf(place(here, [sku]))).toBe(2);
    expect(await tripsOf(place(here, [sku]))).toBe(1);
    const other = await price(newSku(), 200);
    expect(await tripsOf(place(here, [sku, other]))).toBe(2);
    expect(await tripsOf(place(here, [other, sku]))).toBe(1);
  });

  it('in one trip is as complete as in two', async () => {
    const sku = await price(newSku(), 100);
    const read = bodyOf(await place(here, [sku]));
    const presumed = bodyOf(await place(here, [sku]));
    expect(presumed).toEqual({
      ...read,
      id: expect.any(String) as string,
      createdAt: expect.any(String) as string,
      updatedAt: expect.any(String) as string,
    });
    const [rows] = await Promise.all([rowsOf(presumed.id), rowsOf(read.id)].map(async (counts) => (await counts)[0]));
    expect(rows).toEqual({ orders: 1, sagas: 1, histories: 1, answers: 1 });
  });

  it('is at the price that was changed through another replica, the first time already', async () => {
    const sku = await price(newSku(), 100);
    await place(here, [sku]);
    await price(sku, 150);
    expect(totalOf(await place(here, [sku]))).toBe(150);
    // What was read the second time is remembered instead.
    expect(await tripsOf(place(here, [sku]))).toBe(1);
    expect(totalOf(await place(here, [sku]))).toBe(150);
  });

  it('is in the currency that was changed', async () => {
    const sku = await price(newSku(), 100);
    await place(here, [sku]);
    await price(sku, 100, 'USD');
    expect(bodyOf(await place(here, [sku])).total).toEqual({ amount: 100, currency: 'USD' });
  });

  it('is at the price that it finds when it changes again between its two runs', async () => {
    const sku = await price(newSku(), 100);
    await place(here, [sku]);
    await price(sku, 150);
    here.database.before = (run) => run === 2 && price(sku, 175);
    expect(totalOf(await place(here, [sku]))).toBe(175);
    expect(here.database.runs).toBe(2);
  });

  it('is at the remembered price, in one run, when only the name of the product has changed', async () => {
    const sku = await price(newSku(), 100);
    await place(here, [sku]);
    const product = (await findProduct(catalogue, 'acme', sku))!;
    await updateProduct(catalogue, 'acme', product, { ...product, name: 'another' });
    expect(totalOf(await place(here, [sku]))).toBe(100);
    expect(here.database.runs).toBe(1);
  });

  it('is at a price that was true while it was placed, whoever changes it meanwhile', async () => {
    const sku = await price(newSku(), 1);
    let [begun, done] = [1, 1];
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
    expect(begun).toBeGreaterThan(10);
  });

  it('R54 is at the price of its own tenant', async () => {
    const sku = await price(newSku(), 100);
    await price(sku, 999, 'EUR', 'rival');
    const totals: number[] = [];
    for (const tenant of ['acme', 'rival', 'acme', 'rival']) totals.push(totalOf(await place(here, [sku], { tenant })));
    expect(totals).toEqual([100, 999, 100, 999]);
  });
});

describe('R19 a refusal', () => {
  it('for two currencies is proved as well: there is none when they are one by now', async () => {
    const [cup, tea] = [await price(newSku(), 100), await price(newSku(), 100, 'USD')];
    for (const trips of [2, 1]) {
      const refusing = place(here, [cup, tea]);
      expect(await tripsOf(refusing)).toBe(trips);
      expect(bodyOf(await refusing)).toMatchObject({ code: 'mixed_currencies' });
    }
    await price(tea, 100, 'EUR');
    expect(totalOf(await place(here, [cup, tea]))).toBe(200);
  });

  it('for an unknown SKU comes from the catalogue only', async () => {
    const [cup, hat] = [await price(newSku(), 100), newSku()];
    await place(here, [cup]);
    for (let round = 0; round < 2; round++) {
      const refusing = place(here, [cup, hat]);
      expect(await tripsOf(refusing)).toBe(2);
      expect(bodyOf(await refusing)).toMatchObject({ code: 'unknown_sku', skus: [hat] });
    }
    await price(hat, 50);
    expect(totalOf(await place(here, [cup, hat]))).toBe(150);
  });

  it('of a PUT, which is not kept, is for prices that were read', async () => {
    const [cup, tea] = [await price(newSku(), 100), await price(newSku(), 100, 'USD')];
    const id = randomUUID();
    expect(bodyOf(await place(here, [cup, tea], { id }))).toMatchObject({ code: 'mixed_currencies' });
    await price(tea, 100, 'EUR');
    expect(totalOf(await place(here, [cup, tea], { id }))).toBe(200);
  });
});

describe('R12 a repeat', () => {
  it('through the replica of the first is looked up, and through another one found by the second run', async () => {
    const sku = await price(newSku(), 100);
    await Promise.all([place(here, [sku]), place(there, [sku])]);
    const key = randomUUID();
    const first = await place(here, [sku], { key });
    await price(sku, 150);
    const runs: number[] = [];
    for (const replica of [here, there, there]) {
      const repeat = await place(replica, [sku], { key });
      expect([repeat.kind, bodyOf(repeat)]).toEqual(['replayed', bodyOf(first)]);
      runs.push(replica.database.runs);
    }
    expect(runs).toEqual([1, 2, 1]);
  });

  it('through another replica gets a refusal again, and another request under the key is refused', async () => {
    const [sku, hat] = [await price(newSku(), 100), newSku()];
    await place(there, [sku]);
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

describe('R35 each of a batch gets its own answer', () => {
  let [cup, pot, tea] = ['', '', ''];
  let known: string;
  let foreign: string;
  let firsts: Outcome[];

  beforeEach(async () => {
    [cup, pot, tea] = [await price(newSku(), 1), await price(newSku(), 10), await price(newSku(), 1, 'USD')];
    for (const replica of [here, there]) await place(replica, [cup, pot, tea]);
    [known, foreign] = [randomUUID(), randomUUID()];
    firsts = [await place(here, [cup], { key: known }), await place(there, [cup], { key: foreign })];
    await price(pot, 20);
  });

  const together = (...wishes: [string[], Wish?][]) => Promise.all(wishes.map((wish) => place(here, ...wish)));
  const bodies = (outcomes: Outcome[]) => outcomes.map((outcome) => [outcome.kind, bodyOf(outcome)]);

  it('where all of them seem new: new, at a changed price, refused, and repeated from elsewhere', async () => {
    const [plain, changed, mixed, repeat] = await together(
      [[cup]],
      [[cup, pot]],
      [[cup, tea]],
      [[cup], { key: foreign }],
    );
    expect(here.database.runs).toBe(2);
    expect([plain, changed].map((outcome) => totalOf(outcome!))).toEqual([1, 21]);
    expect(bodyOf(mixed!)['code']).toBe('mixed_currencies');
    expect(bodies([repeat!])).toEqual([['replayed', bodyOf(firsts[1]!)]]);
  });

  it('where some do not: beside those a known repeat, an unknown SKU and a PUT', async () => {
    const [changed, unknown, again, elsewhere, put] = await together(
      [[cup, pot]],
      [[cup, newSku()]],
      [[cup], { key: known }],
      [[cup], { key: foreign }],
      [[pot], { id: randomUUID() }],
    );
    expect([changed, put].map((outcome) => totalOf(outcome!))).toEqual([21, 20]);
    expect(bodyOf(unknown!)['code']).toBe('unknown_sku');
    expect(bodies([again!, elsewhere!])).toEqual(firsts.map((first) => ['replayed', bodyOf(first)]));
  });

  it('and all of it is one trip where every guess is right', async () => {
    await place(here, [pot]);
    const before = traffic.trips;
    const outcomes = await together([[cup, pot]], [[cup, tea]], [[pot]], [[cup]]);
    expect(traffic.trips - before).toBe(1);
    expect(outcomes.map(({ kind }) => kind)).toEqual(['fresh', 'fresh', 'fresh', 'fresh']);
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
