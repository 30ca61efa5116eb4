import { expectPolicyTable } from '@shop/idempotency/testing';
import { useStack } from '@shop/testing';
import { InventoryApp } from '../testing/inventory-app';

const stack = useStack();

describe('the keys of the inventory service', () => {
  it('R24 are told, with the policy of each route, by the OpenAPI document and the docs alike', async () => {
    const app = await InventoryApp.start(stack);
    try {
      expectPolicyTable('inventory', (await app.call('GET', '/openapi.json')).body);
    } finally {
      await app.close();
    }
  });
});
