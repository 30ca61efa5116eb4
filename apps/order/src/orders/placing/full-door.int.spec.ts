/** A tenant with as many open orders as it may have: nobody answers the sagas, so they stay open. */
import { randomUUID } from 'node:crypto';
import type { Stack } from '@shop/stack';
import { useStack } from '@shop/testing';
import { callers, expectProblem, OrderApp, orderBody, startOwnBroker } from '../../../testing/order-app';

const stack = useStack();
let broker: Stack;
let app: OrderApp;

beforeAll(async () => {
  broker = await startOwnBroker(stack);
  const urls = { databaseUrl: stack.databaseUrl, natsUrl: broker.natsUrl };
  app = await OrderApp.start(urls, { MAX_OPEN_ORDERS_PER_TENANT: '2' });
  await app.putProduct('cup', 1_200);
  await app.putProduct('cup', 1_200, { key: callers.rival });
});
afterAll(async () => {
  await app.close();
  await broker.stop();
});

it('R12 R45 turns away one more order, answers repeats of those that are open as the first time, and lets others in', async () => {
  const [idempotencyKey, id, late] = [randomUUID(), randomUUID(), randomUUID()];
  const first = await app.place(orderBody(), { idempotencyKey });
  const chosen = await app.put(`/orders/${id}`, orderBody());
  expect([first.statusCode, chosen.statusCode]).toEqual([201, 201]);
  let turnedAway = false;
  const waiting = app.place(orderBody(), { idempotencyKey: late }).finally(() => (turnedAway = true));

  const repeat = await app.place(orderBody(), { idempotencyKey });
  expect([repeat.statusCode, repeat.body, repeat.headers['idempotent-replayed']]).toEqual([201, first.body, 'true']);
  expect((await app.put(`/orders/${id}`, orderBody())).statusCode).toBe(200);
  expect((await app.place(orderBody(), { key: callers.rival })).statusCode).toBe(201);
  // None of them has waited until the door gave up.
  expect(turnedAway).toBe(false);

  const refused = await waiting;
  expectProblem(refused, 429, 'too_many_open_orders');
  expect(refused.headers['retry-after']).toBe('1');
  // It is not an answer that is kept: when there is room, the same request is taken.
  expect((await app.call('DELETE', `/orders/${id}`)).statusCode).toBe(204);
  await app.query(`update saga set status = 'compensated', deadline_at = null where status = 'compensating'`);
  expect((await app.place(orderBody(), { idempotencyKey: late })).statusCode).toBe(201);
});
