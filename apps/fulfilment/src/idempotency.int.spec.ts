/** What the fulfilment service says of its keys. */
import { TestClient } from '@shop/http/testing';
import { expectPolicyTable } from '@shop/idempotency/testing';
import { doorKeys, openService } from '@shop/service/testing';
import { useStack } from '@shop/testing';
import { fulfilmentService } from './app';

const stack = useStack();

it('R24 the policy of each route is told by the OpenAPI document and the docs alike', async () => {
  const app = await openService(fulfilmentService, stack, { API_KEYS: doorKeys.API_KEYS }, { takesMessages: false });
  const client = new TestClient(app, doorKeys.callers.root);
  try {
    expectPolicyTable('fulfilment', (await client.call('GET', '/openapi.json')).body);
  } finally {
    await client.close();
  }
});
