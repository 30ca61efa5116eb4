import { randomUUID } from 'node:crypto';
import { expectPolicyTable } from '@shop/idempotency/testing';
import { useStack } from '@shop/testing';
import { callers, expectProblem, OrderApp, orderBody, type OrderJson, type TwoOrderApps } from '../testing/order-app';

const stack = useStack();
let here: OrderApp;
let there: OrderApp;
let close: TwoOrderApps['close'];

beforeAll(async () => {
  ({ here, there, close } = await OrderApp.startTwo(stack));
  await here.putProduct('cup', 1_200);
});
afterAll(() => close(here, there));

describe('the keys of the order service', () => {
  it('R24 are told, with the policy of each route, by the OpenAPI document and the docs alike', async () => {
    expectPolicyTable('order', (await here.get('/openapi.json')).body);
  });

  it('R16 are good for one order and a hundred equal answers, over two replicas at once', async () => {
    const idempotencyKey = randomUUID();
    const answers = await Promise.all(
      Array.from({ length: 100 }, (_, index) => (index % 2 ? here : there).place(orderBody(), { idempotencyKey })),
    );
    expect(new Set(answers.map(({ statusCode, body }) => `${statusCode} ${body}`)).size).toBe(1);
    expect(answers.filter(({ headers }) => headers['idempotent-replayed'] === undefined)).toHaveLength(1);
    const { id } = answers[0]!.json<OrderJson>();
    expect(await here.query('select id from orders where id = $1', [id])).toHaveLength(1);
  });

  it('R24 are shown to their owner', async () => {
    const idempotencyKey = randomUUID();
    await here.place(orderBody(), { idempotencyKey });
    const { requests } = (await there.get(`/idempotency-keys/${idempotencyKey}`)).json<{ requests: object[] }>();
    expect(requests).toMatchObject([{ route: 'POST /orders', state: 'completed', answerStatus: 201 }]);
    for (const key of [callers.bob, callers.operator]) {
      expectProblem(await here.get(`/idempotency-keys/${idempotencyKey}`, { key }), 404, 'idempotency_key_unknown');
    }
  });

  it('R26 keep no answer when an operator erases the tenant, and make no second order', async () => {
    const [mine, other] = [randomUUID(), randomUUID()];
    await here.putProduct('cup', 5, { key: callers.rival });
    const { id } = (await here.place(orderBody(), { idempotencyKey: mine })).json<OrderJson>();
    const theirs = await here.place(orderBody(), { idempotencyKey: other, key: callers.rival });
    expectProblem(await here.call('DELETE', '/idempotency-keys'), 403, 'forbidden');
    for (const replica of [here, there]) {
      expect((await replica.call('DELETE', '/idempotency-keys', { key: callers.operator })).statusCode).toBe(204);
    }
    const again = await there.place(orderBody(), { idempotencyKey: mine });
    expectProblem(again, 410, 'idempotency_key_erased');
    expect((await here.get(`/orders/${id}`)).statusCode).toBe(200);
    const stored = `select count(*)::int as n from ledger where scope like 'acme|%' and answer_body is not null`;
    expect(await here.query(stored)).toEqual([{ n: 0 }]);
    const replayed = await there.place(orderBody(), { idempotencyKey: other, key: callers.rival });
    expect([replayed.body, replayed.headers['idempotent-replayed']]).toEqual([theirs.body, 'true']);
  });
});
