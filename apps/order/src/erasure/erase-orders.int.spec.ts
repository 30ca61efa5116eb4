/** Erasing who ordered, over HTTP, on a real database. Nobody answers the sagas. */
import { randomUUID } from 'node:crypto';
import type { Stack } from '@shop/stack';
import { useStack } from '@shop/testing';
import { callers, expectProblem, OrderApp, orderBody, type OrderJson, startOwnBroker } from '../../testing/order-app';

const stack = useStack();
let broker: Stack;
let here: OrderApp;

beforeAll(async () => {
  broker = await startOwnBroker(stack);
  here = await OrderApp.start({ databaseUrl: stack.databaseUrl, natsUrl: broker.natsUrl });
  await here.putProduct('cup', 1_200);
});
afterAll(async () => {
  await here.close();
  await broker.stop();
});

interface Erasure {
  erased: { table: string; rows: number }[];
}

const erase = (what: 'customer' | 'tenant', body: object, key = callers.operator) =>
  here.call('POST', `/erasures/${what}`, { key, body });

async function erased(what: 'customer' | 'tenant', body: object, key?: string): Promise<Record<string, number>> {
  const answer = await erase(what, body, key);
  expect(answer.statusCode).toBe(200);
  return Object.fromEntries(answer.json<Erasure>().erased.map(({ table, rows }) => [table, rows]));
}

/** Ended orders, more than one step of the walk has. Many of them are of one moment. */
async function endedOrders(tenant: string, customerId: string, count: number): Promise<void> {
  await here.query(
    `insert into orders (tenant, id, customer_id, items, total_amount, total_currency, status, request_hash, saga_id,
                         created_at)
     select $1, gen_random_uuid(), $2, '[]', 1, 'EUR', 'confirmed', '\\x01', gen_random_uuid(),
            now() + (n / 700) * interval '1 microsecond'
     from generate_series(1, $3::int) as n`,
    [tenant, customerId, count],
  );
}

const left = async (tenant: string, customerId: string): Promise<number> => {
  const text = `select count(*)::int as n from orders where tenant = $1 and customer_id = $2`;
  return (await here.query<{ n: number }>(text, [tenant, customerId]))[0]!.n;
};

describe('R26 erasing a customer', () => {
  it('R26 finds all orders of the customer, however many, and those of nobody else', async () => {
    await endedOrders('acme', 'kim', 2_500);
    await endedOrders('acme', 'kimberley', 3);
    await endedOrders('rival', 'kim', 3);
    expect(await erased('customer', { customerId: 'kim' })).toMatchObject({ orders: 2_500 });
    expect([await left('acme', 'kim'), await left('acme', 'erased')]).toEqual([0, 2_500]);
    expect([await left('acme', 'kimberley'), await left('rival', 'kim')]).toEqual([3, 3]);
    expect(await erased('customer', { customerId: 'kim' })).toMatchObject({ orders: 0, ledger: 0 });
    const guessable = `select 1 from orders where customer_id = 'erased' and request_hash = '\\x01'`;
    expect(await here.query(guessable)).toEqual([]);
  });

  it('R26 waits for open orders, says how many there are, and erases nothing meanwhile', async () => {
    const idempotencyKey = randomUUID();
    const placed = await here.place(orderBody({ customerId: 'ann' }), { idempotencyKey });
    await endedOrders('acme', 'ann', 1);
    const refused = await erase('customer', { customerId: 'ann' });
    expectProblem(refused, 409, 'open_orders');
    expect(refused.json()).toMatchObject({ open: 1 });
    expect(await left('acme', 'ann')).toBe(2);
    expect((await here.place(orderBody({ customerId: 'ann' }), { idempotencyKey })).body).toBe(placed.body);

    const { id } = placed.json<OrderJson>();
    // As an earlier release may leave it, which does not know the column.
    await here.query(`update orders set status = 'confirmed', next_action = '{"type":"redirect"}' where id = $1`, [id]);
    expect(await erased('customer', { customerId: 'ann' })).toMatchObject({ orders: 2, ledger: 1 });
    expect(await here.query('select next_action from orders where id = $1', [id])).toEqual([{ next_action: null }]);
    // It belongs to nobody any more, also not to who placed it.
    expect((await here.get(`/orders/${id}`)).statusCode).toBe(404);
    const order = await here.get(`/orders/${id}`, { key: callers.operator });
    expect(order.json()).toMatchObject({ customerId: 'erased', status: 'confirmed' });
    // The order is known by its natural key: a late repeat makes no second one.
    expectProblem(
      await here.place(orderBody({ customerId: 'ann' }), { idempotencyKey }),
      409,
      'idempotency_key_reused',
    );
  });

  it('R26 finds a name that JSON writes in another way', async () => {
    const customerId = 'Zoë "Z" O\\Neill';
    const { id } = (await here.place(orderBody({ customerId }))).json<OrderJson>();
    await here.query(`update orders set status = 'cancelled' where id = $1`, [id]);
    expect(await erased('customer', { customerId })).toMatchObject({ orders: 1, ledger: 1 });
  });

  it.each([
    ['a customer', 'customer', { customerId: 'alice' }, callers.alice],
    ['an operator without the role platform', 'tenant', { tenant: 'acme' }, callers.rival],
  ] as const)('R54 is not for %s', async (_, what, body, key) => {
    expectProblem(await erase(what, body, key), 403, 'forbidden');
  });

  it.each([{}, { customerId: '' }, { customerId: 'x', tenant: 'acme' }])('R29 refuses %j', async (body) => {
    expectProblem(await erase('customer', body), 400, 'validation_failed');
  });
});

describe('R26 erasing a tenant', () => {
  it('R26 erases all its customers, and leaves other tenants alone', async () => {
    await endedOrders('gone', 'one', 2);
    await endedOrders('gone', 'two', 2);
    await endedOrders('gone2', 'one', 2);
    expect(await erased('tenant', { tenant: 'gone' })).toMatchObject({ orders: 4 });
    expect([await left('gone', 'erased'), await left('gone2', 'one')]).toEqual([4, 2]);
    expect(await erased('tenant', { tenant: 'gone' })).toMatchObject({ orders: 0 });
  });
});
