/** The entries of a saga's commands, asked for at services that know some, know none, answer wrong or are away. */
import { randomUUID } from 'node:crypto';
import { answersWith, bad, FakeNeighbour } from '@shop/service/testing';
import type { SagaView, TransitionView } from '@shop/saga';
import type { Stack } from '@shop/stack';
import { useStack } from '@shop/testing';
import {
  callers,
  expectProblem,
  OrderApp,
  type OrderJson,
  orderBody,
  startOwnBroker,
} from '../../../testing/order-app';
import { Participants } from '../../../testing/participants';
import { cancelOrder } from '../sagas/cancel-order.saga';
import { placeOrder } from '../sagas/place-order.saga';
import { commandsOf } from './saga-ledger.service';

describe('the commands of a saga', () => {
  const id = randomUUID();
  const history = (...moves: Partial<TransitionView>[]) => ({ id, history: moves }) as SagaView;
  const idsOf = (...args: Parameters<typeof commandsOf>) =>
    commandsOf(...args).map((one) => `${one.service} ${one.id}`);

  it('are those of its definition, each at the service that carries it out', () => {
    expect(idsOf(placeOrder, history())).toEqual([
      `inventory ${id}/reserve/do`,
      `inventory ${id}/reserve/undo`,
      `payment ${id}/charge/do`,
      `payment ${id}/charge/undo`,
      `inventory ${id}/confirm/do`,
    ]);
    expect(new Set(commandsOf(cancelOrder, history()).map(({ service }) => service))).toContain('fulfilment');
  });

  it('are also those that an operator has corrected', () => {
    const corrected = { step: 'charge', detail: { by: 'olga', revision: 2 } };
    expect(idsOf(placeOrder, history({ step: 'charge', detail: { by: 'olga' } }, corrected))).toEqual(
      expect.arrayContaining([`payment ${id}/charge/do/2`, `payment ${id}/charge/undo/2`]),
    );
    expect(commandsOf(placeOrder, history(corrected))).toHaveLength(7);
  });
});

describe('R49 the ledger beside a saga', () => {
  const stack = useStack();
  let broker: Stack;
  let participants: Participants;
  let inventory: FakeNeighbour;
  let payment: FakeNeighbour;
  let app: OrderApp;
  let id: string;

  beforeAll(async () => {
    broker = await startOwnBroker(stack);
    participants = await Participants.join(broker.natsUrl);
    [inventory, payment] = [await FakeNeighbour.open(), await FakeNeighbour.open()];
    app = await OrderApp.start(
      { databaseUrl: stack.databaseUrl, natsUrl: broker.natsUrl },
      { INVENTORY_URL: inventory.url, PAYMENT_URL: payment.url, NEIGHBOUR_KEY: 'k', NEIGHBOUR_TIMEOUT_MS: '2000' },
    );
    await app.putProduct('cup', 1_200);
    id = (await app.place(orderBody({}))).json<OrderJson>().id;
  });
  afterAll(async () => {
    await app.close();
    await Promise.all([inventory.close(), payment.close()]);
    await participants.leave();
    await broker.stop();
  });

  const entry = (command: string, createdAt: string) => ({
    id: `${id}/${command}`,
    state: 'completed',
    answerStatus: 200,
    createdAt,
    completedAt: createdAt,
    expiresAt: '2030-01-01T00:00:00.000Z',
  });
  const knows = (...items: object[]) => answersWith(200, { items });

  it('has the entries of all services, in the order in which the commands were taken', async () => {
    const [first, second, third] = [
      entry('reserve/do', '2026-03-01T12:00:00.000Z'),
      entry('charge/do', '2026-03-01T12:00:00.100Z'),
      entry('confirm/do', '2026-03-01T12:00:00.200Z'),
    ];
    inventory.way = knows(third, first);
    payment.way = knows(second);
    const answer = await app.get(`/sagas/${id}/ledger`, { key: callers.operator });
    expect(answer.json()).toEqual({
      items: [
        { ...first, step: 'reserve', action: 'do', service: 'inventory' },
        { ...second, step: 'charge', action: 'do', service: 'payment' },
        { ...third, step: 'confirm', action: 'do', service: 'inventory' },
      ],
      degraded: [],
    });
    const asked = new URL(payment.heard[0]!.url, 'http://payment');
    expect(asked.searchParams.get('ids')).toBe(`${id}/charge/do,${id}/charge/undo`);
  });

  it.each(['answers 503', 'answers another form'])('names a service that %s, and shows the rest', async (way) => {
    inventory.way = knows();
    payment.way = bad[way]!;
    const answer = await app.get(`/sagas/${id}/ledger`, { key: callers.operator });
    expect([answer.statusCode, answer.json()]).toEqual([200, { items: [], degraded: ['payment'] }]);
  });

  it('takes no entry of another saga for one of this', async () => {
    inventory.way = knows();
    payment.way = knows({ ...entry('charge/do', '2026-03-01T12:00:00.000Z'), id: `${randomUUID()}/charge/do` });
    const answer = await app.get(`/sagas/${id}/ledger`, { key: callers.operator });
    expect(answer.json()).toEqual({ items: [], degraded: ['payment'] });
  });

  it('is not there for a saga that is not', async () => {
    for (const unknown of [randomUUID(), 'odd']) {
      expectProblem(await app.get(`/sagas/${unknown}/ledger`, { key: callers.operator }), 404, 'saga_not_found');
    }
  });
});
