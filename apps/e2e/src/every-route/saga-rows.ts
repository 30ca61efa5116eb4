/** The mutating routes of what operators do about sagas and their steps. */
import { randomUUID } from 'node:crypto';
import { eventually } from '@shop/testing';
import type { Row } from './row';
import type { World } from './world';

const HOLD = '/saga-holds/place-order/charge';

export const sagaRows: Row[] = [
  {
    service: 'order',
    route: 'POST /sagas/{id}/acts',
    attempt: async (world) => {
      // It waits for its customer, so that it is open.
      const order = { customerId: world.name(), items: [{ sku: 'cup', quantity: 1 }], payment: { source: 'tok_3ds' } };
      const { body } = await world.prepare('order', 'POST', '/orders', order);
      const id = body['id'] as string;
      const acts = `select count(*) from saga_history h join saga s on s.id = h.saga_id
                    where s.data->>'orderId' = $1 and h.event = 'operator.cancel'`;
      return { path: `/sagas/${id}/acts`, body: { act: 'cancel' }, done: () => world.number('order', acts, id) };
    },
  },
  {
    service: 'order',
    route: 'PUT /saga-holds/{definition}/{step}',
    attempt: async (world) => {
      const { tenant, apiKey } = world.tenant();
      const done = () => world.number('order', 'select count(*) from saga_hold where tenant = $1', tenant);
      return { path: HOLD, body: { reason: `repairs ${randomUUID()}` }, apiKey, done };
    },
  },
  {
    service: 'order',
    route: 'DELETE /saga-holds/{definition}/{step}',
    attempt: async (world) => {
      const { tenant, apiKey } = world.tenant();
      await world.send('order', 'PUT', { path: HOLD, body: { reason: 'repairs' }, apiKey });
      const done = () => world.number('order', 'select count(released_at) from saga_hold where tenant = $1', tenant);
      return { path: HOLD, apiKey, done };
    },
  },
  {
    service: 'order',
    route: 'POST /saga-batches',
    attempt: async (world) => {
      const reason = await parkedFor(world);
      const done = () => world.number('order', `select count(*) from bulk_act where filter ->> 'reason' = $1`, reason);
      const body = { act: 'cancel', filter: { status: 'parked', reason }, expected: 1, ratePerSecond: 200 };
      return { path: '/saga-batches', body, done };
    },
  },
  {
    service: 'order',
    route: 'DELETE /saga-batches/{id}',
    attempt: async (world) => {
      // Somebody works on it, and does not come to an end.
      const [batch] = await world.rows<{ id: string }>(
        'order',
        `insert into bulk_act (id, kind, tenant, act, filter, made_by, rate_per_second, count, lease_token, leased_until)
         values (gen_random_uuid(), 'saga', 'demo', 'retry', '{"status":"parked","step":"charge"}', 'olga', 1, 5, gen_random_uuid(), now() + interval '1 hour')
         returning id`,
      );
      const stopped = `select count(*) from bulk_act where id = $1 and status = 'stopped'`;
      return { path: `/saga-batches/${batch!.id}`, done: () => world.number('order', stopped, batch!.id) };
    },
  },
];

/** Parks the saga of a new order, as its payment would, for a reason that no other saga has. Returns the reason. */
async function parkedFor(world: World): Promise<string> {
  const order = { customerId: world.name(), items: [{ sku: 'cup', quantity: 1 }], payment: { source: 'tok_3ds' } };
  const { body } = await world.prepare('order', 'POST', '/orders', order);
  const reason = world.name();
  // It waits for its customer, so that nothing else moves it.
  await eventually(async () => {
    const parked = await world.rows(
      'order',
      `update saga set status = 'parked', attempt = 1, waiting = null, deadline_at = null, parked_reason = $2
       where id = $1 and waiting ? 'until' returning id`,
      body['id'],
      reason,
    );
    expect(parked).toHaveLength(1);
  });
  return reason;
}
