/** An order that came too often in a minute: nothing of it is kept, so the same request may come again. */
import type { Stack } from '@shop/stack';
import { useStack } from '@shop/testing';
import { callers, expectProblem, OrderApp, type OrderJson, startOwnBroker } from '../../testing/order-app';

const stack = useStack();
let broker: Stack;
let here: OrderApp;
let there: OrderApp;

beforeAll(async () => {
  broker = await startOwnBroker(stack);
  const urls = { databaseUrl: stack.databaseUrl, natsUrl: broker.natsUrl };
  const env = { RATE_LIMIT_PRINCIPAL: '2' };
  [here, there] = await Promise.all([OrderApp.start(urls, env), OrderApp.start(urls, env)]);
  await here.putProduct('cup', 1_200);
});
afterAll(async () => {
  await Promise.all([here.close(), there.close()]);
  await broker.stop();
});

it('R19 R54 is not stored under its key, and is taken where it comes within the limit', async () => {
  for (let n = 0; n < 2; n++) expect((await here.place()).statusCode).toBe(201);
  const before = await here.counts();
  const refused = await here.place(undefined, { idempotencyKey: 'hasty' });
  expectProblem(refused, 429, 'rate_limited');
  expect(refused.headers['retry-after']).toMatch(/^\d+$/);
  expect(await here.counts()).toEqual(before);
  expect((await here.get('/health/live')).statusCode).toBe(200);
  expect((await here.get('/orders', { key: callers.bob })).statusCode).toBe(200);

  // Each replica counts by itself.
  const taken = await there.place(undefined, { idempotencyKey: 'hasty' });
  expect([taken.statusCode, taken.headers['idempotent-replayed']]).toEqual([201, undefined]);
  const again = await there.place(undefined, { idempotencyKey: 'hasty' });
  expect(again.headers['idempotent-replayed']).toBe('true');
  expect(again.json<OrderJson>()).toEqual(taken.json<OrderJson>());
});
