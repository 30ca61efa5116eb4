/** Every route of the payment service, tried by everybody who must not get in. */
import type { Role } from '@shop/http';
import { TestClient } from '@shop/http/testing';
import { commonDoors, describeClosedDoors, doorKeys, openService, operators, putLetter } from '@shop/service/testing';
import { useStack } from '@shop/testing';
import { paymentService } from './app';

const stack = useStack();
const platform: Role[] = ['platform'];
const env = { PAYMENT_PROVIDER: 'simulated', API_KEYS: doorKeys.API_KEYS };

describeClosedDoors(async () => {
  const app = await openService(paymentService(), stack, env, { takesMessages: false });
  const client = new TestClient(app, doorKeys.callers.root);
  const headers = { 'idempotency-key': 'any' };
  const body = { amount: 1_000, currency: 'EUR', source: 'tok_ok' };
  const made = await client.call('POST', '/payments', { body, headers });
  const payment = `/payments/${made.json<{ id: string }>().id}`;
  const refund = await client.call('POST', `${payment}/refunds`, { body: { amount: 1 }, headers });
  const refundUrl = `${payment}/refunds/${refund.json<{ id: string }>().id}`;
  const held = await client.call('POST', '/payments', {
    body: { ...body, capture: 'manual' },
    headers: { 'idempotency-key': 'held' },
  });
  const captures = `/payments/${held.json<{ id: string }>().id}/captures`;
  const capture = await client.call('POST', captures, { body: { amount: 1_000 }, headers });
  const captureUrl = `${captures}/${capture.json<{ id: string }>().id}`;
  const none = { status: 404 };
  const doors = {
    ...commonDoors(await putLetter(client)),
    'POST /payments': { roles: operators, body: {}, rival: { status: 400 } },
    'GET /payments': { roles: operators, rival: { status: 200, items: 0 } },
    'GET /payments/:id': { roles: operators, url: payment, rival: none },
    'POST /payments/:id/refunds': { roles: operators, url: `${payment}/refunds`, body: { amount: 1 }, rival: none },
    'GET /payments/:id/refunds': { roles: operators, url: `${payment}/refunds`, rival: none },
    'POST /payments/:id/captures': { roles: operators, url: captures, body: { amount: 1 }, rival: none },
    'GET /payments/:id/captures': { roles: operators, url: captures, rival: none },
    'GET /payments/:id/captures/:captureId': { roles: operators, url: captureUrl, rival: none },
    'GET /payments/:id/disputes': { roles: operators, url: `${payment}/disputes`, rival: none },
    'GET /disputes': { roles: operators, rival: { status: 200, items: 0 } },
    'GET /provider-events': { roles: platform, rival: { status: 403 } },
    'GET /payouts': { roles: platform, rival: { status: 403 } },
    'GET /payments/:id/refunds/:refundId': { roles: operators, url: refundUrl, rival: none },
  };
  return { client, doors };
});
