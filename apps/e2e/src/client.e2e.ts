/** A client that is made from the OpenAPI documents drives an order with it; its types are all that it knows. */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { DEVELOPMENT_KEY, ownServices, serviceNames } from '@shop/system';
import { expectKeptFile } from '@shop/testing';
import createClient from 'openapi-fetch';
import type { paths as InventoryPaths } from './clients/inventory';
import type { components, operations, paths as OrderPaths } from './clients/order';
import type { paths as PaymentPaths } from './clients/payment';
import { gapsOf, lint, typesOf } from './documents';
import { Shop } from './shop';

type Order = components['schemas']['Order'];
/** The codes with which an order can be refused under its key. */
type Conflict = operations['placeOrder']['responses'][409]['content']['application/problem+json']['code'];

const START_TIMEOUT_MS = 60_000;
const UNIT_PRICE = { amount: 1_200, currency: 'EUR' };

let shop: Shop;
beforeAll(async () => {
  shop = await Shop.open([]);
}, START_TIMEOUT_MS);
afterAll(() => shop?.close());

describe('R24 the OpenAPI document', () => {
  it.each(serviceNames)('R24 of %s leaves a linter quiet', async (service) => {
    expect(await lint(shop.system.urls[service])).toEqual([]);
  });

  it.each(serviceNames)('R24 of %s shows every body', async (service) => {
    expect(await gapsOf(shop.system.urls[service])).toEqual([]);
  });

  it.each(ownServices)('R63 of %s makes the client that is kept', async (service) => {
    const file = join(__dirname, 'clients', `${service}.ts`);
    const cure = { project: '@shop/e2e', pattern: 'client', variable: 'UPDATE_CLIENTS' };
    expectKeptFile(file, await typesOf(shop.system.urls[service]), cure);
  });
});

describe('R63 a client made from the documents', () => {
  it('R63 puts a product, orders it, waits for it, repeats the request, and cancels', async () => {
    const { order, inventory, payment } = clients();
    await order.PUT('/products/{sku}', {
      params: { path: { sku: 'cup' } },
      body: { name: 'Espresso cup', unitPrice: UNIT_PRICE },
    });
    const stock = await inventory.PUT('/stock/{sku}', { params: { path: { sku: 'cup' } }, body: { onHand: 10 } });
    expect(stock.data?.available).toBe(10);

    const key = randomUUID();
    const placed = await place(key, 2);
    expect(placed.data?.total).toEqual({ amount: 2_400, currency: 'EUR' });
    const id = idOf(placed.data);
    expect((await settled(id))?.status).toBe('confirmed');

    const repeated = await place(key, 2);
    expect(repeated.data).toEqual(placed.data);
    expect(repeated.response.headers.get('idempotent-replayed')).toBe('true');
    expect((await place(key, 3)).error?.code).toBe('idempotency_key_reused' satisfies Conflict);

    const paid = await paymentOf(id);
    expect(paid).toMatchObject({ amount: 2_400, refunded: 0, status: 'succeeded' });

    const cancelled = await order.DELETE('/orders/{id}', { params: { path: { id } } });
    expect(cancelled.response.status).toBe(204);
    expect((await settled(id))?.reason).toBe('cancelled_by_client');
    const saga = await order.GET('/orders/{id}/saga', { params: { path: { id } } });
    expect([saga.data?.status, saga.data?.cancelledBy?.status]).toEqual(['completed', 'completed']);
    expect(await paymentOf(id)).toMatchObject({ refunded: 2_400 });

    function place(key: string, quantity: number) {
      return order.POST('/orders', {
        params: { header: { 'Idempotency-Key': key } },
        body: { customerId: 'alice', items: [{ sku: 'cup', quantity }], payment: { source: 'tok_ok' } },
      });
    }

    async function settled(id: string): Promise<Order | undefined> {
      return (await order.GET('/orders/{id}', { params: { path: { id }, header: { prefer: 'wait=30' } } })).data;
    }

    async function paymentOf(id: string) {
      return (await payment.GET('/payments')).data?.items.find(({ orderId }) => orderId === id);
    }
  });
});

function clients() {
  const { order, inventory, payment } = shop.system.urls;
  const headers = { authorization: `Bearer ${DEVELOPMENT_KEY}` };
  return {
    order: createClient<OrderPaths>({ baseUrl: order, headers }),
    inventory: createClient<InventoryPaths>({ baseUrl: inventory, headers }),
    payment: createClient<PaymentPaths>({ baseUrl: payment, headers }),
  };
}

function idOf(order: Order | undefined): string {
  if (!order) throw new Error('the order was not accepted');
  return order.id;
}
