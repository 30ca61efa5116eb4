/** Acts on many parked sagas as operators ask for them; what carries them out has its tests in the libraries. */
import { randomUUID } from 'node:crypto';
import type { Stack } from '@shop/stack';
import { eventually, useStack } from '@shop/testing';
import {
  callers,
  expectProblem,
  OrderApp,
  orderBody,
  type OrderJson,
  startOwnBroker,
} from '../../../testing/order-app';

const stack = useStack();
let broker: Stack;
let app: OrderApp;
let sagas: string[];

beforeAll(async () => {
  broker = await startOwnBroker(stack);
  app = await OrderApp.start({ databaseUrl: stack.databaseUrl, natsUrl: broker.natsUrl });
  await app.putProduct('cup', 1_200);
  // Nobody takes their commands.
  const placed = [await app.place(orderBody()), await app.place(orderBody())];
  sagas = placed.map((answer) => answer.json<OrderJson>().id);
  await stack.administer(`update saga set status = 'parked', deadline_at = null, parked_reason = 'by_hand'`);
});
afterAll(async () => {
  await app.close();
  await broker.stop();
});

const key = callers.operator;
const make = (filter: object, expected: number, more: object = {}) => {
  const body = { act: 'retry', filter: { status: 'parked', ...filter }, expected, ratePerSecond: 100, ...more };
  return app.call('POST', '/saga-batches', { key, body, headers: { 'idempotency-key': randomUUID() } });
};

describe('R6 an operator', () => {
  it('R6 is asked for a filter, for one that can be understood, and for what was shown', async () => {
    expectProblem(await make({}, 2), 400, 'filter_required');
    for (const filter of [
      { step: null },
      { action: null },
      { olderThanSeconds: null },
      { status: 'running' },
      { x: 1 },
    ]) {
      expectProblem(await make(filter, 2), 400, 'validation_failed');
    }
    expectProblem(await make({ reason: 'by_hand' }, 2, { act: 'skip' }), 400, 'validation_failed');
    expectProblem(await make({ reason: 'by_hand' }, 3), 409, 'set_changed', { count: 2 });
  });

  it('R6 acts on all parked sagas of a filter, and sees what became of each', async () => {
    const made = await make({ reason: 'by_hand', definition: 'place-order' }, 2, { reason: 'inventory is back' });
    expect(made.statusCode).toBe(201);
    const path = made.headers['location'] as string;
    const filter = { status: 'parked', reason: 'by_hand', definition: 'place-order' };
    expect(made.json()).toMatchObject({ act: 'retry', filter, count: 2, status: 'running' });
    await eventually(async () =>
      expect((await app.get(path, { key })).json()).toMatchObject({ status: 'done', done: 2 }),
    );
    const at = expect.any(String) as string;
    expect((await app.get(`${path}/rows`, { key })).json()).toEqual({
      items: sagas.map((sagaId, index) => ({ position: index + 1, sagaId, outcome: 'done', code: null, at })),
      next: null,
    });
    expect((await app.get('/saga-batches', { key })).json()).toEqual({
      items: [(await app.get(path, { key })).json()],
      next: null,
    });
    expectProblem(await app.get(`/saga-batches/${randomUUID()}`, { key }), 404, 'saga_batch_not_found');
  });
});
