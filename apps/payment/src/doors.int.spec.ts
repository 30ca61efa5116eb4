/** Every route of the payment service, tried by everybody who must not get in. */
import type { Role } from '@shop/http';
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
import { broughtBody } from '../testing/invoice-world';
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
  await client.query(parkedTask);
  const invoice = '/invoices/INV-1999-0001';
  await client.call('PUT', invoice, { body: broughtBody() });
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
    'POST /invoices': { roles: everybody, body: {}, rival: { status: 400 } },
    'PUT /invoices/:number': { roles: operators, url: invoice, body: {}, rival: { status: 400 } },
    'GET /invoices': { roles: everybody, rival: { status: 200, items: 0 } },
    'GET /invoices/:number': { roles: everybody, url: invoice, rival: none },
    'GET /tax-tasks': { roles: operators, rival: { status: 200, items: 0 } },
    'POST /tax-tasks/:number/retry': { roles: operators, url: '/tax-tasks/INV-2026-0001/retry', rival: none },
    'GET /payments/:id/refunds/:refundId': { roles: operators, url: refundUrl, rival: none },
  };
  return { client, doors };
});

const parkedTask = `
  insert into tax_task (tenant, number, kind, invoice, currency, rates, status, ended_at)
  values ('acme', 'INV-2026-0001', 'commit', 'INV-2026-0001', 'EUR', '[]', 'parked', now())`;
