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
  const adjustments = { url: '/stock/mug/adjustments', body: { delta: 1, reason: 'found' } };
  const doors = {
    ...commonDoors(await putLetter(client)),
    'GET /stock': { roles: everybody, rival: { status: 200, items: 0 } },
    'GET /stock/:sku': { roles: everybody, url: '/stock/cup', rival: { status: 404 } },
    'POST /stock/:sku/adjustments': { roles: operators, ...adjustments, rival: { status: 404 } },
    // It is their own stock.
    'PUT /stock/:sku': { roles: operators, url: '/stock/cup', body: { onHand: 1 }, rival: { status: 201 } },
  };
  return { client, doors };
});
