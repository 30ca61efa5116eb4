/** `POST /orders` through two instances of the whole app on one database. Nobody answers the sagas. */
import { randomUUID } from 'node:crypto';
import type { Stack } from '@shop/stack';
import { useStack } from '@shop/testing';
import {
  type Answer,
  callers,
  expectProblem,
  OrderApp,
  orderBody,
  type OrderJson,
  startOwnBroker,
} from '../../../testing/order-app';

const stack = useStack();
let broker: Stack;
let here: OrderApp;
let there: OrderApp;

beforeAll(async () => {
  broker = await startOwnBroker(stack);
  const urls = { databaseUrl: stack.databaseUrl, natsUrl: broker.natsUrl };
  [here, there] = await Promise.all([OrderApp.start(urls), OrderApp.start(urls)]);
  await here.putProduct('cup', 1_200);
  await here.putProduct('pot', 2_500);
  await here.putProduct('tea', 900, { key: callers.operator }, 'USD');
});
afterAll(async () => {
  await Promise.all([here.close(), there.close()]);
  await broker.stop();
});

describe('R1 POST /orders', () => {
  it('answers at once with the order, its address and its version', async () => {
    const answer = await here.place(orderBody({ items: [item('cup', 2), item('pot')] }));
    expect(answer.statusCode).toBe(201);
    const order = answer.json<OrderJson>();
    expect(order).toEqual({
      id: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-/) as string,
      customerId: 'alice',
      status: 'pending',
      items: [
        { sku: 'cup', quantity: 2, unitPrice: { amount: 1_200, currency: 'EUR' } },
        { sku: 'pot', quantity: 1, unitPrice: { amount: 2_500, currency: 'EUR' } },
      ],
      total: { amount: 4_900, currency: 'EUR' },
      createdAt: expect.any(String) as string,
      updatedAt: expect.any(String) as string,
    });
    expect(answer.headers).toMatchObject({ location: `/orders/${order.id}`, etag: '"1"' });
    expect(answer.headers['content-type']).toBe('application/json; charset=utf-8');
    expect(answer.body).not.toContain('tok_ok');
  });

  it('R30 can be read at once, as it was answered, through any replica', async () => {
    const placed = await here.place();
    const read = await there.get(String(placed.headers['location']));
    expect([read.statusCode, read.json(), read.headers['etag']]).toEqual([200, placed.json(), '"1"']);
  });

  it('R17 commits the key, the order and its saga together', async () => {
    const before = await here.counts();
    await Promise.all([here.place(), there.place(), here.place(orderBody({ items: [item('hat')] }))]);
    const { orders, sagas, answers } = await here.counts();
    expect([orders - before.orders, sagas - before.sagas, answers - before.answers]).toEqual([2, 2, 3]);
  });

  it('R35 takes prices from the catalogue only', async () => {
    const cheap = { ...item('cup'), unitPrice: { amount: 1, currency: 'EUR' } };
    expectProblem(await here.place(orderBody({ items: [cheap] })), 400, 'validation_failed');
  });
});

describe('R12 a repeat with the same key', () => {
  it('gets the first answer byte for byte, and is told so', async () => {
    const idempotencyKey = randomUUID();
    const first = await here.place(orderBody(), { idempotencyKey });
    expect(first.headers).not.toHaveProperty('idempotent-replayed');
    const second = await there.place(orderBody(), { idempotencyKey });
    expect([second.statusCode, second.body]).toEqual([201, first.body]);
    expect(second.headers).toMatchObject({
      'idempotent-replayed': 'true',
      location: first.headers['location'],
      etag: first.headers['etag'],
      'content-type': first.headers['content-type'],
    });
  });

  it('gets the first answer also when the price and the order have changed since', async () => {
    await here.putProduct('mug', 700);
    const idempotencyKey = randomUUID();
    const body = orderBody({ items: [item('mug')] });
    const first = await here.place(body, { idempotencyKey });
    await here.putProduct('mug', 900, { key: callers.operator, headers: { 'if-match': '*' } });
    await here.call('DELETE', String(first.headers['location']));
    expect((await here.place(body, { idempotencyKey })).body).toBe(first.body);
  });
});

describe('R13 the key', () => {
  it.each<[string, Record<string, string>, string]>([
    ['no key', {}, 'idempotency_key_missing'],
    ['an empty key', { 'idempotency-key': '' }, 'idempotency_key_invalid'],
    ['an empty string', { 'idempotency-key': '""' }, 'idempotency_key_invalid'],
    ['a key with a space', { 'idempotency-key': 'a b' }, 'idempotency_key_invalid'],
    ['a string with a space', { 'idempotency-key': '"a b"' }, 'idempotency_key_invalid'],
    ['a key of 256 characters', { 'idempotency-key': 'x'.repeat(256) }, 'idempotency_key_invalid'],
    ['letters beyond ASCII', { 'idempotency-key': 'schlüssel' }, 'idempotency_key_invalid'],
  ])('is refused: %s', async (_, headers, code) => {
    const before = await here.counts();
    expectProblem(await here.call('POST', '/orders', { body: orderBody(), headers }), 400, code);
    expect(await here.counts()).toEqual(before);
  });

  it.each([
    ['one character', uniqueKey(1)],
    ['255 characters', uniqueKey(255)],
    ['every kind of visible character', `!#$%&'()*+,-./:;<=>?@[]^_\`{|}~${uniqueKey(8)}`],
  ])('is taken: %s', async (_, idempotencyKey) => {
    expect((await here.place(orderBody(), { idempotencyKey })).statusCode).toBe(201);
  });

  it('is the same key as an RFC 8941 string and as the bare characters', async () => {
    const key = randomUUID();
    const quoted = await here.place(orderBody(), { idempotencyKey: `"${key}"` });
    const bare = await here.place(orderBody(), { idempotencyKey: key });
    expect([bare.body, bare.headers['idempotent-replayed']]).toEqual([quoted.body, 'true']);
  });
});

describe('R14 the same key', () => {
  it('with the same JSON in other words is the same request', async () => {
    const idempotencyKey = randomUUID();
    const first = await here.place(
      '{"customerId":"alice","items":[{"sku":"cup","quantity":2}],"payment":{"source":"tok_ok"}}',
      { idempotencyKey },
    );
    const again = await here.place(
      `{ "payment": {"source": "tok_\\u006fk"},\n "items": [ {"quantity": 2.0, "sku": "cup"} ], "customerId": "alice" }`,
      { idempotencyKey },
    );
    expect([again.statusCode, again.body]).toEqual([201, first.body]);
  });

  it.each([
    ['another quantity', { items: [{ sku: 'cup', quantity: 3 }] }],
    ['another customer', { customerId: 'eve' }],
    ['another source', { payment: { source: 'tok_other' } }],
  ])('with %s is refused, and the first request keeps its answer', async (_, changed) => {
    const idempotencyKey = randomUUID();
    const first = await here.place(orderBody(), { idempotencyKey });
    expectProblem(await there.place(orderBody(changed), { idempotencyKey }), 409, 'idempotency_key_reused');
    expect((await here.place(orderBody(), { idempotencyKey })).body).toBe(first.body);
  });
});

describe('R15 the same key', () => {
  it('of another principal or another tenant is another key, and nobody learns of it', async () => {
    await here.putProduct('cup', 500, { key: callers.rival });
    const idempotencyKey = randomUUID();
    const first = await here.place(orderBody(), { idempotencyKey });
    for (const key of [callers.bob, callers.rival]) {
      // The body differs, so a shared key would be refused as reused.
      const answer = await here.place(orderBody({ customerId: 'somebody' }), { idempotencyKey, key });
      expect(answer.statusCode).toBe(201);
      expect(answer.headers).not.toHaveProperty('idempotent-replayed');
      expect(answer.json<OrderJson>().id).not.toBe(first.json<OrderJson>().id);
    }
  });
});

describe('R16 many at once', () => {
  it.each([
    ['one instance', () => [here]],
    ['two instances on one database', () => [here, there]],
  ])('a hundred of one request through %s are one order and a hundred equal answers', async (_, instances) => {
    const before = await here.counts();
    const idempotencyKey = randomUUID();
    const answers = await atOnce(100, instances(), (app) => app.place(orderBody(), { idempotencyKey }));
    expect(new Set(answers.map(({ statusCode, body }) => `${statusCode} ${body}`)).size).toBe(1);
    expect(answers[0]!.statusCode).toBe(201);
    expect(answers.filter(({ headers }) => headers['idempotent-replayed'] === undefined)).toHaveLength(1);
    const { orders, sagas, answers: stored } = await here.counts();
    expect([orders - before.orders, sagas - before.sagas, stored - before.answers]).toEqual([1, 1, 1]);
  });

  it('a hundred requests under one key with two bodies: one body wins everywhere', async () => {
    const idempotencyKey = randomUUID();
    const bodies = [orderBody(), orderBody({ customerId: 'eve' })];
    const answers = await atOnce(100, [here, there], (app, index) =>
      app.place(bodies[index % 4 < 2 ? 0 : 1], { idempotencyKey }),
    );
    const made = answers.filter(({ statusCode }) => statusCode === 201);
    expect(made).toHaveLength(50);
    expect(new Set(made.map(({ body }) => body)).size).toBe(1);
    for (const answer of answers) if (answer.statusCode !== 201) expectProblem(answer, 409, 'idempotency_key_reused');
  });

  it('a hundred different requests through two instances are a hundred orders', async () => {
    const answers = await atOnce(100, [here, there], (app) => app.place());
    expect(answers.map(({ statusCode }) => statusCode)).toEqual(Array<number>(100).fill(201));
    expect(new Set(answers.map((answer) => answer.json<OrderJson>().id)).size).toBe(100);
  });

  it('each gets its own answer when good and bad ones share a batch', async () => {
    const answers = await atOnce(30, [here], (app, index) =>
      app.place(orderBody({ items: [item(['cup', 'hat', 'pot'][index % 3]!)] })),
    );
    expect(answers.map(({ statusCode }) => statusCode)).toEqual(
      answers.map((_, index) => (index % 3 === 1 ? 422 : 201)),
    );
  });
});

describe('R19 what is stored', () => {
  it('is a final refusal: it is given again when the product is there by then', async () => {
    const idempotencyKey = randomUUID();
    const sku = `new-${randomUUID()}`;
    const body = orderBody({ items: [item('cup'), item(sku)] });
    const refusal = await here.place(body, { idempotencyKey });
    expectProblem(refusal, 422, 'unknown_sku');
    expect(refusal.json()).toMatchObject({ skus: [sku] });
    await here.putProduct(sku, 100);
    const again = await there.place(body, { idempotencyKey });
    expectProblem(again, 422, 'unknown_sku');
    expect([again.body, again.headers['idempotent-replayed']]).toEqual([refusal.body, 'true']);
    expect((await here.place(body)).statusCode).toBe(201);
  });

  it('is a refusal of two currencies as well', async () => {
    const body = orderBody({ items: [item('cup'), item('tea')] });
    expectProblem(await here.place(body), 422, 'mixed_currencies');
  });

  it('is valid with a name as long as it may be, as people count', async () => {
    const customerId = '❤️'.repeat(100);
    expect((await here.place(orderBody({ customerId }))).json()).toMatchObject({ customerId });
  });

  it.each<[string, object]>([
    ['no items', { items: [] }],
    ['one SKU twice', { items: [item('cup'), item('cup')] }],
    ['a quantity of nothing', { items: [item('cup', 0)] }],
    ['half a piece', { items: [item('cup', 0.5)] }],
    ['a SKU that is none', { items: [item('a b')] }],
    ['more lines than an order may have', { items: Array.from({ length: 101 }, (_, index) => item(`sku-${index}`)) }],
    ['no customer', { customerId: undefined }],
    ['a customer without a name', { customerId: '' }],
    ['a customer with an endless name', { customerId: 'c'.repeat(101) }],
    ['no payment', { payment: undefined }],
    ['a null payment', { payment: null }],
    ['an endless source', { payment: { source: 't'.repeat(201) } }],
    ['a source that looks sealed', { payment: { source: 'sealed.v1.dev.AAAA' } }],
    ['an item that is null', { items: [null] }],
    ['an unknown property', { coupon: 'FREE' }],
  ])('is no invalid request: %s; the key may be used again', async (_, changed) => {
    const idempotencyKey = randomUUID();
    expectProblem(await here.place(orderBody(changed), { idempotencyKey }), 400, 'validation_failed');
    const answer = await here.place(orderBody(), { idempotencyKey });
    expect(answer.statusCode).toBe(201);
    expect(answer.headers).not.toHaveProperty('idempotent-replayed');
  });

  it('is nothing of a request without a valid API key', async () => {
    const idempotencyKey = randomUUID();
    expectProblem(await here.place(orderBody(), { idempotencyKey, key: 'nobody' }), 401, 'unauthenticated');
    expect((await here.place(orderBody(), { idempotencyKey })).statusCode).toBe(201);
  });
});

function item(sku: string, quantity = 1): object {
  return { sku, quantity };
}

function uniqueKey(length: number): string {
  return randomUUID().replaceAll('-', '').padEnd(length, 'x').slice(0, length);
}

function atOnce(
  count: number,
  apps: OrderApp[],
  work: (app: OrderApp, index: number) => Promise<Answer>,
): Promise<Answer[]> {
  return Promise.all(Array.from({ length: count }, (_, index) => work(apps[index % apps.length]!, index)));
}
