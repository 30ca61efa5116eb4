/** Erasing a tenant or a customer at the payment service. */
import { randomUUID } from 'node:crypto';
import { callersOf, expectProblem, TestClient } from '@shop/http/testing';
import { openService } from '@shop/service/testing';
import { eventually, useStack } from '@shop/testing';
import { ScriptedProvider } from '../../testing/scripted-provider';
import { paymentBody } from '../../testing/payment-apps';
import { preparePaymentDatabase } from '../../testing/payment-replicas';
import { paymentService } from '../app';

const stack = useStack({ migrate: preparePaymentDatabase, templateKey: 'payment' });
const { callers, API_KEYS } = callersOf({ olga: 'acme/olga:operator', pat: 'ops/pat:platform' });
const provider = new ScriptedProvider();
let app: TestClient;

beforeAll(async () => {
  const env = { PAYMENT_PROVIDER: 'simulated', API_KEYS };
  app = new TestClient(await openService(paymentService(provider), stack, env, { takesMessages: false }), callers.olga);
});
afterAll(() => app.close());

const pay = (body: object, key: string = randomUUID()) =>
  app.call('POST', '/payments', { body, headers: { 'idempotency-key': key } });
const eraseTenant = () => app.call('POST', '/erasures/tenant', { key: callers.pat, body: { tenant: 'acme' } });
const eraseCustomer = (customerId: string) => app.call('POST', '/erasures/customer', { body: { customerId } });
const declined = (id: string, reason: string) =>
  app.query(
    `insert into payment (tenant, id, amount, currency, status, decline_reason) values ('acme', $1, 1, 'EUR', 'declined', $2)`,
    [id, reason],
  );
const reasons = async () =>
  (
    await app.query<{ reason: string }>(
      `select decline_reason as reason from payment where tenant = 'acme' order by id`,
    )
  )
    .map(({ reason }) => reason)
    .filter(Boolean);

it('R26 erases what the provider wrote, and keeps its codes', async () => {
  await declined('pmt_a', 'insufficient_funds');
  await declined('pmt_b', 'The card of Kim was stolen');
  await declined('pmt_c', 'The card of Lee was stolen');
  expect((await eraseCustomer('Kim')).json()).toMatchObject({
    erased: expect.arrayContaining([{ table: 'payment', what: 'texts of the provider', rows: 1 }]),
  });
  expect(await reasons()).toEqual(['insufficient_funds', 'erased', 'The card of Lee was stolen']);
  expect((await eraseTenant()).json()).toMatchObject({
    erased: expect.arrayContaining([{ table: 'payment', what: 'texts of the provider', rows: 1 }]),
  });
  expect(await reasons()).toEqual(['insufficient_funds', 'erased', 'erased']);
});

it('R26 does not erase a tenant while the outcome of a payment is unknown', async () => {
  const [body, key] = [paymentBody(), randomUUID()];
  provider.plan(body.source, 'hangs');
  const paying = pay(body, key);
  const [charge] = await eventually(() => {
    const charges = provider.chargesOf(body.source);
    expect(charges.map(({ paymentId }) => provider.isHanging(paymentId))).toEqual([true]);
    return charges;
  });
  const refused = await eraseTenant();
  expectProblem(refused, 409, 'open_requests');
  expect(refused.json()).toMatchObject({ open: 1 });
  provider.letGo(charge!.paymentId);
  expect((await paying).statusCode).toBe(201);
  expect((await eraseTenant()).statusCode).toBe(200);
  // The ledger has forgotten the key, and the payment has not: no money moves again.
  expectProblem(await pay(body, key), 409, 'already_submitted');
  expect(provider.callsUnder(charge!.idempotencyKey)).toBe(1);
});

it('R26 goes on with what a release before has begun with the source in clear', async () => {
  const [body, key] = [paymentBody(), randomUUID()];
  provider.plan(body.source, 'fails-before');
  expect((await pay(body, key)).statusCode).toBe(503);
  await app.query(`update payment set source = $1 where status = 'pending'`, [body.source]);
  await app.query(`update ledger set input = jsonb_set(input, '{input,source}', to_jsonb($1::text)) where key = $2`, [
    body.source,
    key,
  ]);
  await eventually(async () => expect((await pay(body, key)).statusCode).toBe(201));
  expect(provider.chargesOf(body.source)).toHaveLength(1);
});
