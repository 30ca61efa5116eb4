/** Far more buyers than pieces, by `POST /reservations` through two instances of the whole app on one database. */
import { useStack } from '@shop/testing';
import { type Answer, InventoryApp, linesOf, newSku } from '../../testing/inventory-app';

const BUYERS = 500;
const stack = useStack();
let here: InventoryApp;
let there: InventoryApp;

beforeAll(async () => {
  [here, there] = await Promise.all([InventoryApp.start(stack), InventoryApp.start(stack)]);
});
afterAll(() => Promise.all([here.close(), there.close()]));

describe('a flash sale', () => {
  it('R37 sells one piece to one of 500 buyers, and tells all others that there is none', async () => {
    const sku = newSku();
    await here.put(sku, 1);
    const answers = await everybody(() => linesOf([sku, 1]));
    expect(countsOf(answers)).toEqual({ 201: 1, '409 insufficient_stock': BUYERS - 1 });
    expect((await there.get(sku)).json()).toMatchObject({ onHand: 1, reserved: 1, available: 0 });
  });

  it('R37 sells every piece, and none twice', async () => {
    const sku = newSku();
    await here.put(sku, 100);
    const answers = await everybody(() => linesOf([sku, 3]));
    expect(countsOf(answers)).toEqual({ 201: 33, '409 insufficient_stock': BUYERS - 33 });
    expect((await there.get(sku)).json()).toMatchObject({ onHand: 100, reserved: 99, available: 1 });
  });

  it('R37 does not lock up when the buyers name two SKUs in opposite orders', async () => {
    const [one, other] = [newSku(), newSku()];
    for (const sku of [one, other]) await here.put(sku, 60);
    const answers = await everybody((nth) => (nth % 2 ? linesOf([one, 1], [other, 1]) : linesOf([other, 1], [one, 1])));
    expect(countsOf(answers)).toEqual({ 201: 60, '409 insufficient_stock': BUYERS - 60 });
  });

  it('R37 lets a customer have two of them, and no more, however often it asks at once', async () => {
    const sku = newSku();
    await here.put(sku, 1_000);
    await here.putPolicy(sku, { customerLimit: 2 });
    const answers = await everybody(() => ({ ...linesOf([sku, 1]), customerId: 'alice' }));
    expect(countsOf(answers)).toEqual({ 201: 2, '409 customer_limit_reached': BUYERS - 2 });
    expect((await there.get(sku)).json()).toMatchObject({ reserved: 2 });
    const bob = await here.reserve({ ...linesOf([sku, 2]), customerId: 'bob' });
    expect(bob.statusCode).toBe(201);
  });
});

/** All at once, half of them through each instance. */
const everybody = (bodyOf: (nth: number) => object): Promise<Answer[]> =>
  Promise.all(Array.from({ length: BUYERS }, (_, nth) => (nth % 2 ? here : there).reserve(bodyOf(nth))));

function countsOf(answers: readonly Answer[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { statusCode, json } of answers) {
    const name = statusCode < 400 ? `${statusCode}` : `${statusCode} ${json<{ code: string }>().code}`;
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}
