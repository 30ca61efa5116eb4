/** A reply that PostgreSQL cannot keep, through the whole app. */
import type { Stack } from '@shop/stack';
import { eventually, useStack } from '@shop/testing';
import { callers, OrderApp, type OrderJson, startOwnBroker } from '../../../testing/order-app';
import { allSucceed, Participants } from '../../../testing/participants';

const stack = useStack();
let broker: Stack;
let app: OrderApp;
let participants: Participants;

beforeAll(async () => {
  broker = await startOwnBroker(stack);
  participants = await Participants.join(broker.natsUrl);
  app = await OrderApp.start({ databaseUrl: stack.databaseUrl, natsUrl: broker.natsUrl });
  await app.putProduct('cup', 1_200);
});
afterAll(async () => {
  await app.close();
  await participants.leave();
  await broker.stop();
});

it('R46 a reply with NUL in its text ends as a dead letter, and a good one still moves the saga', async () => {
  const order = (await app.place()).json<OrderJson>();
  const [{ id: sagaId }] = (await app.query<{ id: string }>('select id from saga')) as [{ id: string }];
  await participants.reply(sagaId, 'reserve/do', { outcome: 'succeeded', result: { shelf: 'a\u0000b' } });
  const letter = await eventually(
    async () => {
      const { items } = (await app.get('/dead-letters', { key: callers.operator })).json<{ items: object[] }>();
      expect(items).toHaveLength(1);
      return items[0]!;
    },
    { timeoutMs: 30_000 },
  );
  expect(letter).toMatchObject({
    mailbox: 'reply.order',
    messageId: `${sagaId}/reserve/do/reply`,
    saga: sagaId,
    lastError: expect.stringMatching(/^error 22P05: /),
    state: 'open',
  });
  await participants.play(sagaId, allSucceed);
  const settled = await app.get(`/orders/${order.id}`, { headers: { prefer: 'wait=30' } });
  expect(settled.json()).toMatchObject({ status: 'confirmed' });
});
