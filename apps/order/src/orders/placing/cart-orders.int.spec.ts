/** Orders of carts, through two instances of the whole app on one database. Nobody answers the sagas. */
import { randomUUID } from 'node:crypto';
import { eventually, useStack } from '@shop/testing';
import { cartBody, fillCart, putPromotion } from '../../../testing/carts';
import {
  type Answer,
  callers,
  expectProblem,
  OrderApp,
  orderBody,
  type OrderJson,
  type TwoOrderApps,
} from '../../../testing/order-app';
import { Participants } from '../../../testing/participants';

const stack = useStack();
let here: OrderApp;
let there: OrderApp;
let participants: Participants;
let close: TwoOrderApps['close'];

beforeAll(async () => {
  const two = await OrderApp.startTwo(stack);
  ({ here, there, close } = two);
  participants = await Participants.join(two.natsUrl);
  await here.putProduct('cup', 1_200);
  await here.putProduct('pot', 2_500);
  await here.putProduct('tea', 900, { key: callers.operator }, 'USD');
});
afterAll(async () => {
  await participants.leave();
  await close(here, there);
});

const eur = (amount: number) => ({ amount, currency: 'EUR' });
const cartOf = async (id: string) =>
  (
    await here.query<{ status: string; order_id: string; version: number }>(
      'select status, order_id, version from cart where id = $1',
      [id],
    )
  )[0]!;
const usesOf = async (code: string) =>
  (
    await here.query<{ used: number; uses: number }>(
      `select used, (select count(*)::int from promotion_use u where u.code = p.code and status <> 'returned') as uses
     from promotion p where code = $1`,
      [code],
    )
  )[0]!;

function expectOrderedBefore(answer: Answer, orderId: string): void {
  expectProblem(answer, 409, 'already_submitted');
  expect(answer.json()).toMatchObject({ statusUrl: `/orders/${orderId}` });
}

describe('POST /orders with a cart', () => {
  it('orders what is in the cart for its customer, and the cart is ordered', async () => {
    const cartId = await fillCart(here, {
      customerId: 'grandma',
      items: [
        { sku: 'cup', quantity: 2 },
        { sku: 'pot', quantity: 1 },
      ],
    });
    const answer = await here.place(cartBody(cartId));
    expect(answer.statusCode).toBe(201);
    const { id } = answer.json<OrderJson>();
    expect(answer.json()).toEqual({
      id,
      customerId: 'grandma',
      items: [
        { sku: 'cup', quantity: 2, unitPrice: eur(1_200) },
        { sku: 'pot', quantity: 1, unitPrice: eur(2_500) },
      ],
      total: eur(4_900),
      cartId,
      status: 'pending',
      createdAt: expect.any(String) as string,
      updatedAt: expect.any(String) as string,
    });
    expect((await there.get(`/orders/${id}`)).body).toBe(answer.body);
    expect(await cartOf(cartId)).toEqual({ status: 'ordered', order_id: id, version: 2 });
  });

  it('takes the discount of its promotions off the lines, and uses each once', async () => {
    const ten = await putPromotion(here, { kind: 'percent', percent: 10, skus: ['cup'], combinable: true });
    const five = await putPromotion(here, { kind: 'amount', amount: eur(466), combinable: true });
    const cartId = await fillCart(here, {
      items: [
        { sku: 'cup', quantity: 2 },
        { sku: 'pot', quantity: 1 },
      ],
      promotions: [ten, five],
    });
    const answer = await here.place(cartBody(cartId));
    expect(answer.json()).toMatchObject({
      items: [
        { sku: 'cup', quantity: 2, unitPrice: eur(1_200), discount: eur(456) },
        { sku: 'pot', quantity: 1, unitPrice: eur(2_500), discount: eur(250) },
      ],
      subtotal: eur(4_900),
      discount: eur(706),
      promotions: [
        { code: ten, amount: 240 },
        { code: five, amount: 466 },
      ],
      total: eur(4_194),
    });
    const { id } = answer.json<OrderJson>();
    expect((await there.get(`/orders/${id}`)).body).toBe(answer.body);
    const listed = await there.get('/orders?limit=1');
    expect(listed.json<{ items: object[] }>().items[0]).toEqual(answer.json());
    expect([await usesOf(ten), await usesOf(five)]).toEqual([
      { used: 1, uses: 1 },
      { used: 1, uses: 1 },
    ]);
  });

  it('R12 gives a repeat the first answer, and another key the order that the cart became', async () => {
    const code = await putPromotion(here);
    const cartId = await fillCart(here, { promotions: [code] });
    const idempotencyKey = randomUUID();
    const first = await here.place(cartBody(cartId), { idempotencyKey });
    const again = await there.place(cartBody(cartId), { idempotencyKey });
    expect([again.statusCode, again.body, again.headers['idempotent-replayed']]).toEqual([201, first.body, 'true']);
    expectOrderedBefore(await there.place(cartBody(cartId)), first.json<OrderJson>().id);
    expect(await usesOf(code)).toEqual({ used: 1, uses: 1 });
  });

  it('R34 tells a repeat whose key the ledger has forgotten where its order is', async () => {
    const cartId = await fillCart(here);
    const idempotencyKey = randomUUID();
    const { id } = (await here.place(cartBody(cartId), { idempotencyKey })).json<OrderJson>();
    await here.query('delete from ledger where key = $1', [idempotencyKey]);
    expectOrderedBefore(await there.place(cartBody(cartId), { idempotencyKey }), id);
  });

  it('R16 makes one order of one cart when two keys race through two instances', async () => {
    for (let round = 0; round < 10; round++) {
      const cartId = await fillCart(here);
      const answers = await Promise.all([here, there, here, there].map((app) => app.place(cartBody(cartId))));
      const made = answers.filter(({ statusCode }) => statusCode === 201);
      expect(made).toHaveLength(1);
      const { id } = made[0]!.json<OrderJson>();
      for (const answer of answers) if (answer !== made[0]) expectOrderedBefore(answer, id);
    }
  });

  it('R16 gives many of one request through two instances one answer', async () => {
    for (let round = 0; round < 5; round++) {
      const [cartId, idempotencyKey] = [await fillCart(here), randomUUID()];
      const answers = await Promise.all(
        [here, there, here, there].map((app) => app.place(cartBody(cartId), { idempotencyKey })),
      );
      expect(new Set(answers.map(({ statusCode, body }) => `${statusCode} ${body}`)).size).toBe(1);
      expect(answers[0]!.statusCode).toBe(201);
    }
  });

  it('R54 finds no cart of somebody else, and an operator finds it', async () => {
    const cartId = await fillCart(here, { placedBy: 'bob' });
    for (const key of [undefined, callers.rival]) {
      expectProblem(await here.place(cartBody(cartId), key ? { key } : {}), 404, 'cart_not_found');
    }
    expectProblem(await here.place(cartBody('no-such-cart')), 404, 'cart_not_found');
    expect((await here.place(cartBody(cartId), { key: callers.operator })).statusCode).toBe(201);
    // Not even that it was ordered.
    expectProblem(await here.place(cartBody(cartId)), 404, 'cart_not_found');
  });

  it('refuses an empty cart, unknown products, and a total that nobody can pay; the cart stays open', async () => {
    const most = await putPromotion(here, { kind: 'percent', percent: 99 });
    const [empty, unknown, little] = [
      await fillCart(here, { items: [] }),
      await fillCart(here, { items: [{ sku: 'unicorn', quantity: 1 }] }),
      await fillCart(here, { promotions: [most] }),
    ];
    expectProblem(await here.place(cartBody(empty)), 422, 'cart_empty');
    expectProblem(await here.place(cartBody(unknown)), 422, 'unknown_sku');
    expectProblem(await here.place(cartBody(little)), 422, 'total_too_small');
    for (const id of [empty, unknown, little]) expect(await cartOf(id)).toMatchObject({ status: 'open', version: 1 });
    expect(await usesOf(most)).toEqual({ used: 0, uses: 0 });
  });

  it.each<[string, object]>([
    ['a cart and items', { cartId: 'c', items: [{ sku: 'cup', quantity: 1 }], customerId: undefined }],
    ['a cart and a customer', { cartId: 'c', items: undefined }],
    ['a cart, items and a customer', { cartId: 'c' }],
    ['neither', { items: undefined, customerId: undefined }],
    ['a cart of no name', { cartId: 'a b', items: undefined, customerId: undefined }],
    ['a null cart', { cartId: null, items: undefined, customerId: undefined }],
    ['a reservation that is none', { reservationId: 'r' }],
    ['half a total', { expectedTotal: { amount: 5 } }],
  ])('R19 is no valid request with %s', async (_, changed) => {
    expectProblem(await here.place(orderBody(changed)), 400, 'validation_failed');
  });
});

describe('the expected total', () => {
  it('refuses an order whose price has changed, and says what it comes to now', async () => {
    await here.putProduct('hat', 700);
    const cartId = await fillCart(here, { items: [{ sku: 'hat', quantity: 1 }] });
    await here.putProduct('hat', 800, { key: callers.operator, headers: { 'if-match': '*' } });
    const refusal = await here.place(cartBody(cartId, { expectedTotal: eur(700) }));
    expectProblem(refusal, 409, 'price_changed');
    expect(refusal.json()).toMatchObject({ total: eur(800) });
    expectProblem(
      await here.place(cartBody(cartId, { expectedTotal: { amount: 800, currency: 'USD' } })),
      409,
      'price_changed',
    );
    expect((await there.place(cartBody(cartId, { expectedTotal: eur(800) }))).statusCode).toBe(201);
  });

  it('is the total behind the discount, and is asked of orders of items too', async () => {
    const cartId = await fillCart(here, { promotions: [await putPromotion(here)] });
    expectProblem(await here.place(cartBody(cartId, { expectedTotal: eur(2_400) })), 409, 'price_changed');
    expect((await here.place(cartBody(cartId, { expectedTotal: eur(2_160) }))).statusCode).toBe(201);
    expectProblem(await here.place(orderBody({ expectedTotal: eur(1) })), 409, 'price_changed');
    expect((await here.place(orderBody({ expectedTotal: eur(2_400) }))).statusCode).toBe(201);
  });
});

it('an order comes to what its cart has shown, when it has shown it with the same prices and promotions', async () => {
  const some = [
    await putPromotion(here, { kind: 'percent', percent: 7, combinable: true }),
    await putPromotion(here, { kind: 'amount', amount: eur(333), skus: ['pot'], combinable: true }),
  ];
  const items = [
    { sku: 'cup', quantity: 3 },
    { sku: 'pot', quantity: 1 },
  ];
  const cartId = await fillCart(here, { items, promotions: some });
  const shown = (await there.get(`/carts/${cartId}`)).json<{ total: object; discount: object; promotions: object[] }>();
  const answer = await here.place(cartBody(cartId, { expectedTotal: shown.total }));
  expect([answer.statusCode, answer.json()]).toMatchObject([201, { total: shown.total, discount: shown.discount }]);
  const after = (await there.get(`/carts/${cartId}`)).json<object>();
  expect(after).toMatchObject({ status: 'ordered', orderId: answer.json<OrderJson>().id });
});

describe('a promotion of the cart', () => {
  const percent = { kind: 'percent', percent: 10 };

  it.each<[string, object, string]>([
    ['that is over', { endsAt: '2020-01-01T00:00:00Z' }, 'promotion_expired'],
    ['that has not begun', { startsAt: '2126-01-01T00:00:00Z' }, 'promotion_expired'],
    ['for other products', { skus: ['pot'] }, 'promotion_not_applicable'],
    ['for larger orders', { minimum: eur(2_401) }, 'promotion_not_applicable'],
    ['in another currency', { minimum: { amount: 100, currency: 'USD' } }, 'promotion_not_applicable'],
  ])('%s refuses the order, and the cart stays open', async (_, changed, reason) => {
    const code = await putPromotion(here, { ...percent, ...changed });
    const cartId = await fillCart(here, { promotions: [code] });
    const refusal = await here.place(cartBody(cartId));
    expectProblem(refusal, 409, reason);
    expect(refusal.json()).toMatchObject({ promotions: [{ code, reason }] });
    expect(await cartOf(cartId)).toMatchObject({ status: 'open' });
    expect(await usesOf(code)).toEqual({ used: 0, uses: 0 });
  });

  it('that is used up, by all or by its customer, refuses the order', async () => {
    const once = await putPromotion(here, { ...percent, maxUses: 1 });
    const each = await putPromotion(here, { ...percent, maxUsesPerCustomer: 1 });
    for (const code of [once, each]) {
      const carts = [await fillCart(here, { promotions: [code] }), await fillCart(here, { promotions: [code] })];
      expect((await here.place(cartBody(carts[0]!))).statusCode).toBe(201);
      expectProblem(await there.place(cartBody(carts[1]!)), 409, 'promotion_used_up');
      expect(await usesOf(code)).toEqual({ used: 1, uses: 1 });
    }
    const other = await fillCart(here, { customerId: 'carol', promotions: [each] });
    expect((await here.place(cartBody(other))).statusCode).toBe(201);
  });

  it('that stands alone refuses the order beside others', async () => {
    const alone = await putPromotion(here);
    const cartId = await fillCart(here, {
      promotions: [alone, await putPromotion(here, { ...percent, combinable: true })],
    });
    const refusal = await here.place(cartBody(cartId));
    expectProblem(refusal, 409, 'promotion_not_applicable');
    expect(refusal.json()).toMatchObject({ promotions: [{ code: alone }] });
  });

  it('that was deleted meanwhile refuses the order', async () => {
    const code = await putPromotion(here);
    const cartId = await fillCart(here, { promotions: [code] });
    await here.call('DELETE', `/promotions/${code}`, { key: callers.operator });
    expectProblem(await here.place(cartBody(cartId)), 409, 'promotion_expired');
  });

  it('is fixed in the order: later changes of it do not touch the order', async () => {
    const code = await putPromotion(here);
    const placed = await here.place(cartBody(await fillCart(here, { promotions: [code] })));
    await here.call('DELETE', `/promotions/${code}`, { key: callers.operator });
    expect((await there.get(String(placed.headers['location']))).body).toBe(placed.body);
  });
});

describe('PUT /orders/{id} with a cart', () => {
  const putOrder = (app: OrderApp, id: string, body: object) => app.put(`/orders/${id}`, body);

  it('R27 places the order once, and converges when it is repeated', async () => {
    const [id, cartId] = [randomUUID(), await fillCart(here)];
    const created = await putOrder(here, id, cartBody(cartId));
    const again = await putOrder(there, id, cartBody(cartId));
    expect([created.statusCode, again.statusCode, again.body]).toEqual([201, 200, created.body]);
    expectOrderedBefore(await putOrder(there, randomUUID(), cartBody(cartId)), id);
    expectOrderedBefore(await there.place(cartBody(cartId)), id);
    expectProblem(await putOrder(there, id, cartBody(await fillCart(here))), 409, 'order_id_conflict');
  });

  it('R16 answers all alike when it races with itself through two instances', async () => {
    for (let round = 0; round < 10; round++) {
      const [id, cartId] = [randomUUID(), await fillCart(here)];
      const answers = await Promise.all([here, there, here, there].map((app) => putOrder(app, id, cartBody(cartId))));
      expect(answers.map(({ statusCode }) => statusCode).sort()).toEqual([200, 200, 200, 201]);
    }
  });

  it('may come again after a refusal, with the same id', async () => {
    const code = await putPromotion(here, { kind: 'percent', percent: 10, endsAt: '2020-01-01T00:00:00Z' });
    const [id, cartId] = [randomUUID(), await fillCart(here, { promotions: [code] })];
    expectProblem(await putOrder(here, id, cartBody(cartId)), 409, 'promotion_expired');
    await here.query('delete from cart_promotion where cart_id = $1', [cartId]);
    expect((await putOrder(here, id, cartBody(cartId))).statusCode).toBe(201);
  });
});

describe('the command to reserve', () => {
  it('tells whose limit counts, as a hash, and which reservation the order takes over', async () => {
    const reservationId = randomUUID();
    const answer = await here.place(orderBody({ reservationId }));
    expect(answer.json()).toMatchObject({ reservationId });
    const { id } = answer.json<OrderJson>();
    await eventually(() =>
      expect(participants.bodyOf(id, 'reserve/do')).toEqual({
        tenant: 'acme',
        reservationId: id,
        lines: [{ sku: 'cup', quantity: 2 }],
        takes: reservationId,
        customer: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
      }),
    );
    expect((await there.get(`/orders/${id}`)).json()).toMatchObject({ reservationId });
  });

  it('takes nothing over for an order without a reservation', async () => {
    const { id } = (await here.place()).json<OrderJson>();
    await eventually(() => expect(participants.bodyOf(id, 'reserve/do')).toBeDefined());
    expect(participants.bodyOf(id, 'reserve/do')).not.toHaveProperty('takes');
  });
});
