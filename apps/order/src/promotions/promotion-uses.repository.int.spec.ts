/** The statements of the uses of promotions, on two connections. */
import { randomUUID } from 'node:crypto';
import { createDatabase, type Database } from '@shop/postgres';
import { useStack } from '@shop/testing';
import { createOrderTables } from '../../testing/order-schema';
import {
  countUses,
  customerUsesKey,
  lockPromotions,
  moveUses,
  promotionKey,
  takeUses,
} from './promotion-uses.repository';

const stack = useStack({ migrate: createOrderTables });
const tenant = 'acme';
let databases: Database[];

beforeAll(async () => {
  databases = [1, 2].map(() => createDatabase({ url: stack.databaseUrl, applicationName: 'test' }));
  await Promise.all(databases.map((database) => database.connect()));
});
afterAll(() => Promise.all(databases.map((database) => database.close())));

const query = <Row>(text: string, values: unknown[]): Promise<Row[]> =>
  databases[0]!.query<Row>({ name: text.slice(0, 40), text }, values);

async function newPromotion(): Promise<string> {
  const code = `P-${randomUUID().toUpperCase()}`;
  await query(
    `insert into promotion (tenant, code, kind, percent, combinable) values ('acme', $1, 'percent', 10, true)`,
    [code],
  );
  return code;
}

/** One customer orders with these promotions, as often as it says. Returns the orders. */
async function take(codes: readonly string[], times = 1, customer = 'c'): Promise<string[]> {
  const orders = Array.from({ length: times }, () => randomUUID());
  const uses = orders.flatMap((orderId) => codes.map((code) => ({ tenant, code, orderId, customer })));
  await databases[0]!.transaction(async (tx) => {
    await lockPromotions(tx, uses);
    takeUses(tx, uses);
  });
  return orders;
}

const move = (status: 'confirmed' | 'returned', codes: readonly string[], orderId: string, database = databases[0]!) =>
  database.transaction(async (tx) =>
    moveUses(
      tx,
      codes.map((code) => ({ tenant, code, orderId, status })),
    ),
  );

async function usedOf(code: string): Promise<number> {
  const [row] = await query<{ used: number }>('select used from promotion where code = $1', [code]);
  return row!.used;
}

it('gives a use back once: neither a repeat nor a late confirmation changes it', async () => {
  const code = await newPromotion();
  const [orderId] = await take([code], 2);
  for (const status of ['confirmed', 'confirmed', 'returned', 'returned', 'confirmed', 'returned'] as const) {
    await move(status, [code], orderId!);
    expect(await usedOf(code)).toBe(status === 'confirmed' && (await statusOf(code, orderId!)) !== 'returned' ? 2 : 1);
  }
  expect(await statusOf(code, orderId!)).toBe('returned');
  await move('returned', [code], randomUUID());
  expect(await usedOf(code)).toBe(1);
});

it('counts the uses of each customer, without those that were given back', async () => {
  const [one, two] = [await newPromotion(), await newPromotion()];
  const [gone] = await take([one, two], 3);
  await take([one], 1, 'd');
  await move('returned', [one], gone!);
  const wanted = [one, two].flatMap((code) => ['c', 'd', 'e'].map((customer) => ({ tenant, code, customer })));
  const uses = await countUses(databases[0]!, wanted);
  expect(wanted.map((each) => uses.get(customerUsesKey(each)))).toEqual([2, 1, undefined, 3, undefined, undefined]);
});

it('makes no deadlock between those that give back and those that order, in whatever order the codes come', async () => {
  const codes = await Promise.all(Array.from({ length: 5 }, newPromotion));
  const back = [...codes].reverse();
  const orders = await take(codes, 40);
  await Promise.all(
    orders.map(async (orderId, index) => {
      await move('returned', index % 2 ? codes : back, orderId, databases[index % 2]);
      await take(index % 3 ? codes : back);
    }),
  );
  for (const code of codes) expect(await usedOf(code)).toBe(40);
  // A transaction that has met one runs again, so only the server tells.
  const [row] = await query<{ met: number }>(
    'select deadlocks::int as met from pg_stat_database where datname = current_database()',
    [],
  );
  expect(row!.met).toBe(0);
});

it('locks a promotion once for many orders, and finds none that is deleted', async () => {
  const [code, deleted] = [await newPromotion(), await newPromotion()];
  await query('update promotion set deleted_at = now() where code = $1', [deleted]);
  const keys = [code, deleted, code].map((each) => ({ tenant, code: each }));
  const found = await databases[0]!.transaction((tx) => lockPromotions(tx, keys));
  expect([...found.keys()]).toEqual([promotionKey({ tenant, code })]);
});

async function statusOf(code: string, orderId: string): Promise<string> {
  const [row] = await query<{ status: string }>('select status from promotion_use where code = $1 and order_id = $2', [
    code,
    orderId,
  ]);
  return row!.status;
}
