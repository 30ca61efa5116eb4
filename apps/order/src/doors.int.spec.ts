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
const product = { name: 'The cup', unitPrice: { amount: 1_000, currency: 'EUR' } };

describeClosedDoors(async () => {
  const app = await openService(orderService, stack, { API_KEYS: doorKeys.API_KEYS }, { takesMessages: false });
  const client = new TestClient(app, doorKeys.callers.root);
  await client.call('PUT', '/products/cup', { body: product });
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
    'GET /orders': { roles: everybody, rival: { status: 200, items: 0 } },
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
    'GET /orders/:id/events': { roles: everybody, url: `${order}/events`, rival: none },
    'GET /sagas': { roles: operators, rival: { status: 200, items: 0 } },
    'GET /sagas/:id': { roles: operators, url: `/sagas/${id}`, rival: none },
    'POST /sagas/:id/acts': { roles: operators, url: `/sagas/${id}/acts`, body: { act: 'cancel' }, rival: none },
  };
  return { client, doors };
});
