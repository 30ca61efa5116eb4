/** The erasure of a customer, and of a tenant, in the tables of reservations. */
import { customerHash } from '@shop/contracts';
import { useStack } from '@shop/testing';
import { callers, expectProblem, InventoryApp, linesOf, newSku } from '../../testing/inventory-app';

const stack = useStack();
let app: InventoryApp;

beforeAll(async () => {
  app = await InventoryApp.start(stack);
});
afterAll(() => app.close());

const erase = async (customerId: string) => {
  const answer = await app.call('POST', '/erasures/customer', { body: { customerId } });
  expect(answer.statusCode).toBe(200);
  const { erased } = answer.json<{ erased: { table: string; rows: number }[] }>();
  return Object.fromEntries(erased.map(({ table, rows }) => [table, rows]));
};

describe('R53 the erasure of a customer', () => {
  it('leaves the pieces reserved, and nobody knows for whom', async () => {
    const sku = await newStock();
    const alice = await app.reserve({ ...linesOf([sku, 2]), customerId: 'alice' }, { key: callers.cora });
    const bob = await app.reserve({ ...linesOf([sku, 1]), customerId: 'bob' });
    expect([alice.statusCode, bob.statusCode]).toEqual([201, 201]);
    const hash = customerHash('acme', 'alice');
    expect(await tracesOf(hash, 'cora')).toEqual({ reservation: 1, customer_holding: 1 });
    expect(await erase('alice')).toMatchObject({ reservation: 1, customer_holding: 1 });
    expect(await tracesOf(hash, 'cora')).toEqual({ reservation: 0, customer_holding: 0 });
    expect(await tracesOf(customerHash('acme', 'bob'), 'carl')).toEqual({ reservation: 1, customer_holding: 1 });
    expect((await app.get(sku)).json()).toMatchObject({ reserved: 3 });
    const { id } = alice.json<{ id: string }>();
    expectProblem(await app.reservation(id, callers.cora), 404, 'reservation_not_found');
    expect((await app.release(id, { key: callers.operator })).statusCode).toBe(204);
    expect(await erase('alice')).toMatchObject({ reservation: 0, customer_holding: 0 });
  });

  it('erases the principal that has the name of the customer', async () => {
    await app.reserve(linesOf([await newStock(null), 1]), { key: callers.cora });
    expect(await erase('cora')).toMatchObject({ reservation: 1 });
    expect(await tracesOf('', 'cora')).toEqual({ reservation: 0, customer_holding: 0 });
  });

  it('erases what an operator wrote about a repair', async () => {
    const sku = await newStock();
    const headers = { 'idempotency-key': sku };
    await app.call('POST', `/stock/${sku}/repairs`, { body: { reason: 'dave called' }, headers });
    expect(await erase('dave')).toMatchObject({ stock_repair: 1 });
    expect(await app.query('select reason from stock_repair where sku = $1', [sku])).toEqual([{ reason: 'erased' }]);
  });
});

/** Of which a customer may have three. */
async function newStock(customerLimit: number | null = 3): Promise<string> {
  const sku = newSku();
  await app.put(sku, 9);
  await app.putPolicy(sku, { customerLimit, backorderLimit: 1 });
  return sku;
}

async function tracesOf(customer: string, principal: string): Promise<Record<string, number>> {
  const [counts] = await app.query<{ reservation: number; customer_holding: number }>(
    `select (select count(*)::int from reservation where customer = $1 or placed_by = $2) as reservation,
            (select count(*)::int from customer_holding where customer = $1) as customer_holding`,
    [customer, principal],
  );
  return counts!;
}
