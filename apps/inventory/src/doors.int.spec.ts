/** Every route of the inventory service, tried by everybody who must not get in. */
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
import { inventoryService } from './app';

const stack = useStack();

describeClosedDoors(async () => {
  const app = await openService(inventoryService, stack, { API_KEYS: doorKeys.API_KEYS }, { takesMessages: false });
  const client = new TestClient(app, doorKeys.callers.root);
  for (const sku of ['cup', 'mug']) await client.call('PUT', `/stock/${sku}`, { body: { onHand: 5 } });
  await client.call('PUT', '/bundles/tea-set', { body: { components: [{ sku: 'cup', quantity: 2 }] } });
  const line = { lines: [{ sku: 'cup', quantity: 1 }] };
  const reservation = '/reservations/01a20621-a6cd-74b9-a1c3-459d717a98c4';
  await client.call('PUT', reservation, { body: line });
  const policy = { url: '/stock/cup/policy', body: { backorderLimit: 1, customerLimit: null } };
  const adjustments = { url: '/stock/mug/adjustments', body: { delta: 1, reason: 'found' } };
  const doors = {
    ...commonDoors(await putLetter(client)),
    'GET /stock': { roles: everybody, rival: { status: 200, items: 0 } },
    'GET /stock/:sku': { roles: everybody, url: '/stock/cup', rival: { status: 404 } },
    'POST /stock/:sku/adjustments': { roles: operators, ...adjustments, rival: { status: 404 } },
    'GET /stock/:sku/movements': { roles: operators, url: '/stock/cup/movements', rival: { status: 404 } },
    'GET /stock/:sku/policy': { roles: operators, url: '/stock/cup/policy', rival: { status: 404 } },
    'PUT /stock/:sku/policy': { roles: operators, ...policy, rival: { status: 404 } },
    'PUT /stock/:sku/locations/:location': {
      roles: operators,
      url: '/stock/cup/locations/berlin',
      body: { onHand: 1 },
      rival: { status: 404 },
    },
    'GET /stock-checks': { roles: operators, rival: { status: 200, items: 0 } },
    'POST /stock/:sku/repairs': {
      roles: operators,
      url: '/stock/cup/repairs',
      body: { reason: 'x' },
      rival: { status: 404 },
    },
    'GET /bundles/:sku': { roles: everybody, url: '/bundles/tea-set', rival: { status: 404 } },
    // Their own stock has no cup.
    'PUT /bundles/:sku': {
      roles: operators,
      url: '/bundles/tea-set',
      body: { components: [{ sku: 'cup', quantity: 1 }] },
      rival: { status: 422 },
    },
    'DELETE /bundles/:sku': { roles: operators, url: '/bundles/tea-set', rival: { status: 204 } },
    'GET /reservations': { roles: everybody, rival: { status: 200, items: 0 } },
    'POST /reservations': { roles: everybody, body: line, rival: { status: 409 } },
    'GET /reservations/:id': { roles: everybody, url: reservation, rival: { status: 404 } },
    'PUT /reservations/:id': { roles: everybody, url: reservation, body: line, rival: { status: 409 } },
    'DELETE /reservations/:id': { roles: everybody, url: reservation, rival: { status: 404 } },
    // It is their own stock.
    'PUT /stock/:sku': { roles: operators, url: '/stock/cup', body: { onHand: 1 }, rival: { status: 201 } },
  };
  return { client, doors };
});
