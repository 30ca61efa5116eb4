/** Every route of the order service, tried by everybody who must not get in. */
import { randomUUID } from 'node:crypto';
import { TestClient } from '@shop/http/testing';
import {
  commonDoors,
  describeClosedDoors,
  doorKeys,
  everybody,
  openService,
  operators,
  putLetter,
} from '@shop/service/testing';
import { useStack } from '@shop/testing';
import { orderBody } from '../testing/order-app';
import { orderService } from './app';

const stack = useStack();
const platform = ['platform' as const];
const product = { name: 'The cup', unitPrice: { amount: 1_000, currency: 'EUR' } };
const profile = { displayName: 'Carl', email: 'carl@example.com', locale: 'en' };
const cart = { customerId: 'alice', items: [{ sku: 'cup', quantity: 2 }] };
const promotion = { kind: 'percent', percent: 10 };

describeClosedDoors(async () => {
  const app = await openService(orderService, stack, { API_KEYS: doorKeys.API_KEYS }, { takesMessages: false });
  const client = new TestClient(app, doorKeys.callers.root);
  await client.call('PUT', '/products/cup', { body: product });
  await client.call('PUT', '/promotions/TEN', { body: promotion });
  await client.call('PUT', '/profiles/carl', { body: profile });
  for (const id of ['mine', 'root']) await client.call('PUT', `/carts/${id}`, { body: cart });
  const headers = { 'idempotency-key': 'any' };
  const placed = await client.call('POST', '/orders', { body: orderBody(), headers });
  const { id } = placed.json<{ id: string }>();
  const order = `/orders/${id}`;
  const none = { status: 404 };
  const doors = {
    ...commonDoors(await putLetter(client)),
    'GET /products': { roles: everybody, rival: { status: 200, items: 0 } },
    'GET /products/:sku': { roles: everybody, url: '/products/cup', rival: none },
    // It is their own product.
    'PUT /products/:sku': { roles: operators, url: '/products/cup', body: product, rival: { status: 201 } },
    'GET /promotions': { roles: operators, rival: { status: 200, items: 0 } },
    'GET /promotions/:code': { roles: everybody, url: '/promotions/TEN', rival: none },
    // It is their own promotion.
    'PUT /promotions/:code': { roles: operators, url: '/promotions/TEN', body: promotion, rival: { status: 201 } },
    'DELETE /promotions/:code': { roles: operators, url: '/promotions/TEN', rival: { status: 204 } },
    'GET /profiles': { roles: operators, rival: { status: 200, items: 0 } },
    'GET /profiles/:id': { roles: everybody, url: '/profiles/carl', rival: none },
    // It is their own profile, and PATCH has to name its version.
    'PUT /profiles/:id': { roles: everybody, url: '/profiles/carl', body: profile, rival: { status: 201 } },
    'PATCH /profiles/:id': { roles: everybody, url: '/profiles/carl', body: profile, rival: { status: 428 } },
    'DELETE /profiles/:id': { roles: everybody, url: '/profiles/carl', rival: { status: 200 } },
    'GET /carts': { roles: everybody, rival: { status: 200, items: 0 } },
    'GET /carts/:id': { roles: everybody, url: '/carts/mine', rival: none },
    // It is their own cart.
    'PUT /carts/:id': { roles: everybody, url: '/carts/mine', body: cart, rival: { status: 201 } },
    'PATCH /carts/:id': { roles: everybody, url: '/carts/root', body: {}, rival: none },
    'PUT /carts/:id/promotions/:code': { roles: everybody, url: '/carts/root/promotions/TEN', rival: none },
    'DELETE /carts/:id/promotions/:code': {
      roles: everybody,
      url: '/carts/root/promotions/TEN',
      rival: { status: 204 },
    },
    'DELETE /carts/:id': { roles: everybody, url: '/carts/root', rival: { status: 204 } },
    'GET /orders': { roles: everybody, rival: { status: 200, items: 0 } },
    // Backfills are those of all tenants.
    'GET /backfills': { roles: platform, rival: { status: 403 } },
    'GET /backfills/:name': { roles: platform, url: '/backfills/orders-confirmed-at', rival: { status: 403 } },
    'PUT /backfills/:name': {
      roles: platform,
      url: '/backfills/orders-confirmed-at',
      body: { status: 'paused' },
      rival: { status: 403 },
    },
    // Those of all tenants are for the role platform; an operator sees its own.
    'GET /tenants': { roles: [...operators, ...platform], rival: { status: 200, items: 0 } },
    'POST /orders': {
      roles: everybody,
      body: orderBody({ items: [{ sku: randomUUID(), quantity: 1 }] }),
      rival: { status: 422 },
    },
    'GET /orders/:id': { roles: everybody, url: order, rival: none },
    'PUT /orders/:id': {
      roles: everybody,
      url: order,
      body: orderBody({ items: [{ sku: 'x', quantity: 1 }] }),
      rival: { status: 422 },
    },
    'DELETE /orders/:id': { roles: everybody, url: order, rival: none },
    'GET /orders/:id/saga': { roles: everybody, url: `${order}/saga`, rival: none },
    'GET /orders/:id/view': { roles: everybody, url: `${order}/view`, rival: none },
    'GET /orders/:id/events': { roles: everybody, url: `${order}/events`, rival: none },
    'GET /sagas': { roles: operators, rival: { status: 200, items: 0 } },
    'GET /sagas/groups': { roles: operators, rival: { status: 200 } },
    'GET /sagas/live': { roles: operators, url: '/sagas/live?seconds=1', rival: { status: 200 } },
    'GET /sagas/census': { roles: operators, rival: { status: 200 } },
    'GET /saga-definitions': { roles: operators, rival: { status: 200 } },
    'GET /sagas/:id': { roles: operators, url: `/sagas/${id}`, rival: none },
    'GET /saga-batches': { roles: operators, rival: { status: 200, items: 0 } },
    'POST /saga-batches': {
      roles: operators,
      body: { act: 'retry', filter: { status: 'parked', step: 'charge' }, expected: 1, ratePerSecond: 1 },
      rival: { status: 409 },
    },
    'GET /saga-batches/:id': { roles: operators, url: `/saga-batches/${id}`, rival: none },
    'GET /saga-batches/:id/rows': { roles: operators, url: `/saga-batches/${id}/rows`, rival: none },
    'DELETE /saga-batches/:id': { roles: operators, url: `/saga-batches/${id}`, rival: none },
    'GET /sagas/:id/outlook': { roles: operators, url: `/sagas/${id}/outlook`, rival: none },
    'GET /sagas/:id/ledger': { roles: operators, url: `/sagas/${id}/ledger`, rival: none },
    'GET /saga-holds': { roles: operators, rival: { status: 200 } },
    // It is their own hold.
    'PUT /saga-holds/:definition/:step': {
      roles: operators,
      url: '/saga-holds/place-order/confirm',
      body: { reason: 'repairs' },
      rival: { status: 201 },
    },
    'DELETE /saga-holds/:definition/:step': {
      roles: operators,
      url: '/saga-holds/place-order/confirm',
      rival: { status: 204 },
    },
    'POST /sagas/:id/acts': { roles: operators, url: `/sagas/${id}/acts`, body: { act: 'cancel' }, rival: none },
  };
  return { client, doors };
});
