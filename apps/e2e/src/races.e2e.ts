/** Many buyers at once, over two replicas of every service: there is never more sold, held or granted than there is. */
import { randomUUID } from 'node:crypto';
import { eventually } from '@shop/testing';
import { promotion } from './every-route/promotion-rows';
import { type Answer, World } from './every-route/world';

const TIMEOUT_MS = 180_000;
const BUYERS = 500;
const patiently = { timeoutMs: 120_000, intervalMs: 200 };

const one = (sku: string) => [{ sku, quantity: 1 }];
const replicaOf = (n: number) => (n % 2) as 0 | 1;

describe('races over two replicas', () => {
  let world: World;
  beforeAll(async () => {
    world = await World.open();
  }, TIMEOUT_MS);
  afterAll(() => world?.close(), TIMEOUT_MS);

  const post = (service: 'order' | 'inventory', path: string, body: object, n: number): Promise<Answer> =>
    world.send(service, 'POST', { path, body, headers: { 'idempotency-key': randomUUID() } }, replicaOf(n));
  const order = (body: object, n: number) => post('order', '/orders', { payment: { source: 'tok_ok' }, ...body }, n);

  const reserve = (body: object, n: number) => post('inventory', '/reservations', body, n);

  /** All at once. */
  const race = <T>(count: number, start: (n: number) => Promise<T>): Promise<T[]> =>
    Promise.all(Array.from({ length: count }, (_, n) => start(n)));

  /** A product that can be ordered, with so many pieces. */
  async function product(onHand: number): Promise<string> {
    const sku = world.name();
    await world.prepare('order', 'PUT', `/products/${sku}`, {
      name: sku,
      unitPrice: { amount: 5_000, currency: 'EUR' },
    });
    await world.prepare('inventory', 'PUT', `/stock/${sku}`, { onHand });
    return sku;
  }

  /** Waits until every order has ended, and counts those of a SKU by status and reason. */
  async function ends(sku: string): Promise<Record<string, number>> {
    const open = `select count(*) from orders where status in ('pending', 'cancelling')`;
    await eventually(async () => expect(await world.number('order', open)).toBe(0), patiently);
    const text = `select status, reason from orders where items->0->>'sku' = '${sku}'`;
    const counted: Record<string, number> = {};
    for (const { status, reason } of await world.rows<{ status: string; reason: string | null }>('order', text)) {
      const end = reason === null ? status : `${status}: ${reason}`;
      counted[end] = (counted[end] ?? 0) + 1;
    }
    return counted;
  }

  const statuses = (answers: readonly Answer[]): Record<string, number> => {
    const counted: Record<string, number> = {};
    for (const { status, body } of answers) {
      const told = status < 400 ? String(status) : `${status} ${String(body['code'])}`;
      counted[told] = (counted[told] ?? 0) + 1;
    }
    return counted;
  };

  const stockOf = async (sku: string) => (await world.send('inventory', 'GET', { path: `/stock/${sku}` })).body;

  it(
    'R37 one piece and 500 buyers who order it: one gets it',
    async () => {
      const sku = await product(1);
      const answers = await race(BUYERS, (n) => order({ customerId: `buyer-${n}`, items: one(sku) }, n));
      expect(statuses(answers)).toEqual({ 201: BUYERS });
      expect(await ends(sku)).toEqual({ confirmed: 1, 'cancelled: out_of_stock': BUYERS - 1 });
      expect(await stockOf(sku)).toMatchObject({ onHand: 0, reserved: 0 });
    },
    TIMEOUT_MS,
  );

  it(
    'R37 orders of two SKUs in opposite order never wait for each other in a circle',
    async () => {
      const [here, there] = [await product(1_000), await product(1_000)];
      const items = [...one(here), ...one(there)];
      const answers = await race(100, (n) =>
        order({ customerId: `buyer-${n}`, items: n % 4 < 2 ? items : items.toReversed() }, n),
      );
      expect(statuses(answers)).toEqual({ 201: 100 });
      expect([await ends(here), await ends(there)]).toEqual([{ confirmed: 50 }, { confirmed: 50 }]);
      for (const service of ['order', 'inventory', 'payment', 'fulfilment'] as const) {
        const deadlocks = 'select deadlocks from pg_stat_database where datname = current_database()';
        expect(await world.number(service, deadlocks)).toBe(0);
      }
    },
    TIMEOUT_MS,
  );

  it(
    'R37 one piece and 500 buyers, of whom every second one reserves it and the others order it: one gets it',
    async () => {
      const sku = await product(1);
      // Both replicas get both kinds.
      const isOrder = (n: number) => n % 4 < 2;
      const answers = await race(BUYERS, (n) =>
        isOrder(n)
          ? order({ customerId: `buyer-${n}`, items: one(sku) }, n)
          : reserve({ customerId: `buyer-${n}`, lines: one(sku) }, n),
      );
      const { 201: reserved = 0, ...refused } = statuses(answers.filter((_, n) => !isOrder(n)));
      const { confirmed = 0, ...cancelled } = await ends(sku);
      expect(reserved + confirmed).toBe(1);
      expect(refused).toEqual({ '409 insufficient_stock': BUYERS / 2 - reserved });
      expect(cancelled).toEqual({ 'cancelled: out_of_stock': BUYERS / 2 - confirmed });
      expect(await stockOf(sku)).toMatchObject({ onHand: 1 - confirmed, reserved });
    },
    TIMEOUT_MS,
  );

  it(
    'R37 a limit of two for each customer, and one customer who orders and reserves 500 times: two pieces',
    async () => {
      const sku = await product(1_000);
      const { etag } = await world.send('inventory', 'GET', { path: `/stock/${sku}` });
      const limit = { backorderLimit: 0, customerLimit: 2 };
      await world.prepare('inventory', 'PUT', `/stock/${sku}/policy`, limit, { 'if-match': etag! });
      const answers = await race(BUYERS, (n) =>
        n % 10 < 8
          ? order({ customerId: 'greedy', items: one(sku) }, n)
          : reserve({ customerId: 'greedy', lines: one(sku) }, n),
      );
      const { 201: reserved = 0, ...refused } = statuses(answers.filter((_, n) => n % 10 >= 8));
      const { confirmed = 0, ...cancelled } = await ends(sku);
      expect(reserved + confirmed).toBe(2);
      expect(refused).toEqual({ '409 customer_limit_reached': BUYERS / 5 - reserved });
      expect(cancelled).toEqual({ 'cancelled: limit_reached': (BUYERS / 5) * 4 - confirmed });
      // Somebody else still gets some.
      expect((await reserve({ customerId: 'modest', lines: one(sku) }, 0)).status).toBe(201);
    },
    TIMEOUT_MS,
  );

  /** A cart of one piece with a promotion. */
  async function cartWith(sku: string, code: string, customerId: string): Promise<string> {
    const id = world.name();
    await world.prepare('order', 'PUT', `/carts/${id}`, { customerId, items: one(sku) });
    await world.prepare('order', 'PUT', `/carts/${id}/promotions/${code}`);
    return id;
  }

  const usesOf = async (code: string) =>
    (await world.send('order', 'GET', { path: `/promotions/${code}` })).body['used'];

  it(
    'R36 a promotion for ten and 100 customers who order with it: ten, and a cancelled one goes to somebody else',
    async () => {
      const [sku, code] = [await product(1_000), await promotion(world, { maxUses: 10 })];
      const carts = await race(100, (n) => cartWith(sku, code, `fan-${n}`));
      const answers = await race(100, (n) => order({ cartId: carts[n] }, n));
      expect(statuses(answers)).toEqual({ 201: 10, '409 promotion_used_up': 90 });
      expect(await ends(sku)).toEqual({ confirmed: 10 });
      expect(await usesOf(code)).toBe(10);
      const given = answers.find(({ status }) => status === 201)!;
      await race(6, (n) =>
        world.send('order', 'DELETE', { path: `/orders/${String(given.body['id'])}` }, replicaOf(n)),
      );
      expect(await ends(sku)).toEqual({ confirmed: 9, 'cancelled: cancelled_by_client': 1 });
      expect(await usesOf(code)).toBe(9);
      const others = carts.filter((_, n) => answers[n]!.status !== 201);
      expect(statuses(await race(90, (n) => order({ cartId: others[n] }, n)))).toEqual({
        201: 1,
        '409 promotion_used_up': 89,
      });
      expect(await usesOf(code)).toBe(10);
    },
    TIMEOUT_MS,
  );

  it(
    'R36 a promotion that is put on a cart many times at once is on it once, and edits of one version are one edit',
    async () => {
      const [sku, code, id] = [await product(10), await promotion(world), world.name()];
      const path = `/carts/${id}`;
      await world.prepare('order', 'PUT', path, { customerId: 'fan', items: one(sku) });
      const presses = await race(20, (n) =>
        world.send('order', 'PUT', { path: `${path}/promotions/${code}` }, replicaOf(n)),
      );
      expect(statuses(presses)).toEqual({ 200: 19, 201: 1 });
      const { etag } = await world.send('order', 'GET', { path });
      expect(etag).toBe('"2"');
      const headers = { 'if-match': etag!, 'content-type': 'application/merge-patch+json' };
      const edits = await race(20, (n) =>
        world.send('order', 'PATCH', { path, body: { items: [{ sku, quantity: n + 2 }] }, headers }, replicaOf(n)),
      );
      expect(statuses(edits)).toEqual({ 200: 1, '412 precondition_failed': 19 });
      const { body } = await world.send('order', 'GET', { path });
      expect(body).toEqual(edits.find(({ status }) => status === 200)!.body);
    },
    TIMEOUT_MS,
  );

  it(
    'R34 a cart that is ordered many times at once, each time with another key, is one order',
    async () => {
      const [sku, code] = [await product(100), await promotion(world)];
      const cartId = await cartWith(sku, code, 'fan');
      const answers = await race(20, (n) => order({ cartId }, n));
      expect(statuses(answers)).toEqual({ 201: 1, '409 already_submitted': 19 });
      const { id } = answers.find(({ status }) => status === 201)!.body as { id: string };
      const others = answers.filter(({ status }) => status !== 201);
      expect(new Set(others.map(({ body }) => body['statusUrl']))).toEqual(new Set([`/orders/${id}`]));
      expect(await ends(sku)).toEqual({ confirmed: 1 });
      expect(await usesOf(code)).toBe(1);
    },
    TIMEOUT_MS,
  );

  it(
    'R37 a reservation that many orders want to take over at once is taken over once',
    async () => {
      const sku = await product(1);
      const { body } = await reserve({ customerId: 'fan', lines: one(sku) }, 0);
      const answers = await race(20, (n) =>
        order({ customerId: 'fan', items: one(sku), reservationId: body['id'] }, n),
      );
      expect(statuses(answers)).toEqual({ 201: 20 });
      expect(await ends(sku)).toEqual({ confirmed: 1, 'cancelled: reservation_used': 19 });
      expect(await stockOf(sku)).toMatchObject({ onHand: 0, reserved: 0 });
    },
    TIMEOUT_MS,
  );

  it('and whatever was held, the books of the stock say so', async () => {
    const { items } = (await world.send('inventory', 'GET', { path: '/stock-checks?limit=200' })).body as {
      items: { sku: string; ok: boolean }[];
    };
    expect(items).not.toEqual([]);
    expect(items.filter(({ ok }) => !ok)).toEqual([]);
  });
});
