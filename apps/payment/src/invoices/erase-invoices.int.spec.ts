/** Erasing a customer or a tenant, and what is left of their invoices. */
import { Database } from '@shop/postgres';
import { useStack } from '@shop/testing';
import { InvoiceWorld } from '../../testing/invoice-world';
import { callers } from '../../testing/payment-apps';
import { preparePaymentDatabase } from '../../testing/payment-replicas';
import { invoiceData } from './erase-invoices';

const stack = useStack({ migrate: preparePaymentDatabase, templateKey: 'payment' });
let world: InvoiceWorld;

beforeAll(async () => {
  world = await InvoiceWorld.open(stack);
});
afterAll(() => world.close());

const seenBy = async (as: string): Promise<number> =>
  (await world.apps.read('/invoices', { as })).json<{ items: object[] }>().items.length;
const erase = (customerId?: string) =>
  invoiceData.erase(world.apps.get<Database>(Database), { tenant: 'acme', customerId });
const erased = (rows: number) => [{ table: 'invoice', what: 'who placed the order', rows }];

it('R26 an invoice stays without the name of who placed the order, also for that customer', async () => {
  for (const placedBy of ['carl', 'carl', 'cora']) await world.issued(world.orders.add({ placedBy }));
  await world.issued(world.orders.add({ tenant: 'rival', placedBy: 'carl' }), { as: callers.rival });
  expect([await seenBy(callers.customer), await seenBy(callers.cora)]).toEqual([2, 1]);
  expect(await erase('carl')).toEqual(erased(2));
  expect([await seenBy(callers.customer), await seenBy(callers.cora), await seenBy(callers.operator)]).toEqual([
    0, 1, 3,
  ]);
  expect(await erase()).toEqual(erased(1));
  expect(await erase()).toEqual(erased(0));
  expect(await world.apps.query('select tenant from invoice where placed_by is not null')).toEqual([
    { tenant: 'rival' },
  ]);
});
