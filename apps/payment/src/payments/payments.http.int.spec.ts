/** The HTTP side of the payment service as operators see it: two instances of the whole app on one database. */
import { randomUUID } from 'node:crypto';
import { ChargePayment, RefundPayment } from '@shop/contracts';
import { expectProblem, type Method, type TestClient, metricsNow } from '@shop/http/testing';
import { expectPolicyTable } from '@shop/idempotency/testing';
import { newMessage } from '@shop/messaging';
import { Participant } from '@shop/participant';
import { eventually, useStack } from '@shop/testing';
import { callers, openPaymentApp } from '../../testing/payment-apps';
import { paymentIdOf } from './payment';

const stack = useStack();
let app: TestClient;
let there: TestClient;

beforeAll(async () => {
  [app, there] = await Promise.all([openPaymentApp(stack), openPaymentApp(stack)]);
});
afterAll(() => Promise.all([app.close(), there.close()]));

describe('R38 GET /payments/{id}', () => {
  it('shows a payment, without what it was paid with', async () => {
    const { id, orderId } = await charge({ source: 'tok_ok_4242' });
    const answer = await get(`/payments/${id}`);
    expect(answer.statusCode).toBe(200);
    expect(answer.json()).toEqual({
      id,
      orderId,
      amount: 4_200,
      currency: 'EUR',
      status: 'succeeded',
      declineReason: null,
      providerReference: expect.stringMatching(/^pi_/) as string,
      captured: 4_200,
      refunded: 0,
      disputed: 0,
      version: 2,
      createdAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/) as string,
    });
    expect(answer.body).not.toContain('tok_ok_4242');
  });

  it('shows why a payment was declined', async () => {
    const { id } = await charge({ source: 'tok_insufficient_funds' });
    expect((await get(`/payments/${id}`)).json()).toMatchObject({
      status: 'declined',
      declineReason: 'insufficient_funds',
      providerReference: expect.stringMatching(/^pi_/) as string,
    });
  });

  it('shows what was given back, under a new version', async () => {
    const payment = await charge();
    const before = await get(`/payments/${payment.id}`);
    await refund(payment);
    const after = await get(`/payments/${payment.id}`);
    expect(after.json()).toMatchObject({ status: 'succeeded', amount: 4_200, refunded: 4_200 });
    expect(after.headers['etag']).not.toBe(before.headers['etag']);
  });

  it('R28 answers 304 for a known ETag and the payment for another', async () => {
    const payment = await charge();
    const { headers, body } = await get(`/payments/${payment.id}`);
    const known = { 'if-none-match': String(headers['etag']) };
    const unchanged = await get(`/payments/${payment.id}`, callers.operator, known);
    expect([unchanged.statusCode, unchanged.body, unchanged.headers['etag']]).toEqual([304, '', headers['etag']]);
    await refund(payment);
    const changed = await get(`/payments/${payment.id}`, callers.operator, known);
    expect(changed.statusCode).toBe(200);
    expect(changed.body).not.toBe(body);
  });

  it('R28 has the ETag in each answer to GET and HEAD', async () => {
    const { id } = await charge();
    for (const method of ['GET', 'HEAD'] as const) {
      const plain = await call(method, `/payments/${id}`);
      expect([plain.statusCode, plain.headers['etag'], plain.body === '']).toEqual([200, '"2"', method === 'HEAD']);
      const known = await call(method, `/payments/${id}`, callers.operator, { 'if-none-match': '"7", W/"2"' });
      expect([known.statusCode, known.headers['etag'], known.body]).toEqual([304, '"2"', '']);
    }
  });

  it('R30 shows a change at once through the other instance', async () => {
    const payment = await charge();
    expect((await call('GET', `/payments/${payment.id}`, callers.operator, {}, there)).json()).toMatchObject({
      refunded: 0,
    });
    await refund(payment);
    const read = await call('GET', `/payments/${payment.id}`, callers.operator, {}, there);
    expect([read.json(), read.headers['etag']]).toEqual([expect.objectContaining({ refunded: 4_200 }), '"3"']);
  });

  it.each(['pmt_nothing', '7', 'a%20b', '%00'])('R29 answers 404 for a payment that is not there: %s', async (id) => {
    expectProblem(await get(`/payments/${id}`), 404, 'payment_not_found');
  });

  it.each([
    ['/payments', 'GET, HEAD, OPTIONS, POST'],
    ['/payments/pmt_7', 'GET, HEAD, OPTIONS'],
  ])('R27 R29 answers other methods than those of %s with 405', async (url, allow) => {
    const others = (['PATCH', 'DELETE', 'PUT', 'POST'] as const).filter((method) => !allow.includes(method));
    for (const method of others) {
      const answer = await call(method, url);
      expectProblem(answer, 405, 'method_not_allowed');
      expect(answer.headers['allow']).toBe(allow);
    }
    const options = await call('OPTIONS', url, null);
    expect([options.statusCode, options.headers['allow']]).toEqual([204, allow]);
  });

  it.each([
    ['/nowhere', 404, 'not_found'],
    ['/payments/%E0%A4%A', 400, 'malformed_request'],
    [`/payments/${'7'.repeat(300)}`, 414, 'uri_too_long'],
  ])('R29 answers an address that leads nowhere with a problem: %.20s', async (url, status, code) => {
    expectProblem(await get(url), status, code);
  });
});

describe('R33 GET /payments', () => {
  it('pages through all payments in order of id, each once', async () => {
    const made = await Promise.all(Array.from({ length: 5 }, () => charge()));
    const seen: string[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const page: Page = (await get(`/payments?limit=2${cursor && `&cursor=${cursor}`}`)).json<Page>();
      expect(page.items.length).toBeLessThanOrEqual(2);
      seen.push(...page.items.map(({ id }) => id));
      cursor = page.next;
    }
    expect(seen).toEqual(expect.arrayContaining(made.map(({ id }) => id)));
    expect(new Set(seen).size).toBe(seen.length);
  });

  it('shows those of one order, and of no other tenant', async () => {
    const [mine] = [await charge(), await charge()];
    const listed = async (query: string, key?: string) =>
      (await app.call('GET', `/payments?${query}`, { key })).json<Page>().items.map(({ id }) => id);
    expect(await listed(`orderId=${mine.orderId}`)).toEqual([mine.id]);
    expect(await listed(`orderId=${mine.orderId}`, callers.rival)).toEqual([]);
    expect(await listed(`orderId=${randomUUID()}`)).toEqual([]);
    expectProblem(await get('/payments?orderId=seven'), 400, 'validation_failed');
  });

  it('R49 shows the one that the provider calls so, or one of whose refunds it calls so', async () => {
    const [mine] = [await charge(), await charge()];
    const listed = async (query: string, key?: string) =>
      (await app.call('GET', `/payments?${query}`, { key })).json<Page>().items.map(({ id }) => id);
    const { providerReference } = (await get(`/payments/${mine.id}`)).json<{ providerReference: string }>();
    expect(await listed(`reference=${providerReference}`)).toEqual([mine.id]);
    expect(await listed(`reference=${providerReference}`, callers.rival)).toEqual([]);
    expect(await listed(`reference=${providerReference}&orderId=${randomUUID()}`)).toEqual([]);
    await app.query(
      `insert into refund (tenant, id, payment_id, amount, status, provider_reference)
       values ('acme', 'rfd_by_hand', $1, 1, 'succeeded', 're_${mine.orderId}')`,
      [mine.id],
    );
    expect(await listed(`reference=re_${mine.orderId}`)).toEqual([mine.id]);
    expect(await listed('reference=pi_nobody')).toEqual([]);
    // Not by a look at the whole table.
    const looks = `select idx_scan::int as looks from pg_stat_user_indexes where indexrelname = 'payment_of_provider'`;
    await eventually(async () => expect((await app.query<{ looks: number }>(looks))[0]!.looks).toBeGreaterThan(0));
    expectProblem(await get('/payments?reference=a%20b'), 400, 'validation_failed');
  });

  it('does not show what was paid with', async () => {
    await charge({ source: 'tok_ok_1881' });
    const { body } = await get('/payments?limit=200');
    expect(body).not.toContain('tok_ok_1881');
    expect(body).not.toContain('source');
  });

  it('ends exactly at the end', async () => {
    const all = (await get('/payments?limit=200')).json<Page>();
    expect(all.next).toBeNull();
    const full = (await get(`/payments?limit=${all.items.length}`)).json<Page>();
    expect([full.items, full.next]).toEqual([all.items, null]);
    const most = (await get(`/payments?limit=${all.items.length - 1}`)).json<Page>();
    const rest = (await get(`/payments?cursor=${most.next}`)).json<Page>();
    expect([rest.items, rest.next]).toEqual([[all.items.at(-1)], null]);
    expect((await get(`/payments?cursor=${rest.items[0]!.id}`)).json()).toEqual({ items: [], next: null });
  });

  it.each([
    'limit=0',
    'limit=201',
    'limit=-1',
    'limit=x',
    'limit=1.5',
    'cursor=',
    'cursor=7',
    'cursor=%00',
    'status=declined',
  ])('refuses %s', async (search) => {
    expectProblem(await get(`/payments?${search}`), 400, 'validation_failed');
  });
});

describe('R54 who may look', () => {
  it.each(['/payments', '/payments/pmt_any'])('nobody without a key, and no customer, at %s', async (url) => {
    expectProblem(await get(url, null), 401, 'unauthenticated');
    expectProblem(await get(url, callers.customer), 403, 'forbidden');
  });

  it('keeps tenants apart', async () => {
    const { id } = await charge();
    expectProblem(await get(`/payments/${id}`, callers.rival), 404, 'payment_not_found');
    const { id: theirs } = await charge({ tenant: 'rival' });
    expect((await get('/payments', callers.rival)).json<Page>().items.map((item) => item.id)).toEqual([theirs]);
  });
});

describe('what every service shows', () => {
  it('R24 tells the policy of each route, in the OpenAPI document and the docs alike', async () => {
    expectPolicyTable('payment', (await get('/openapi.json')).body);
  });

  it.each(['/health/live', '/health/ready', '/docs', '/openapi.json'])('%s, without a key', async (url) => {
    await eventually(async () => expect((await get(url, null)).statusCode).toBe(200));
  });

  it('R24 the OpenAPI document lists the routes', async () => {
    const { paths } = (await get('/openapi.json')).json<{ paths: object }>();
    expect(Object.keys(paths)).toEqual(expect.arrayContaining(['/payments', '/payments/{id}']));
  });

  it('R50 the metrics count the calls to the provider by what came of them', async () => {
    await charge();
    expect(await metricsNow()).toMatch(/payment_provider_calls_total\{call="confirm",outcome="succeeded"\} \d+/);
  });
});

interface Page {
  items: { id: string }[];
  next: string | null;
}

interface Charged {
  id: string;
  orderId: string;
  chargeId: string;
}

async function charge({ source = 'tok_ok', tenant = 'acme' } = {}): Promise<Charged> {
  const orderId = randomUUID();
  const chargeId = `${orderId}/charge/do`;
  const data = { tenant, orderId, amount: 4_200, currency: 'EUR', source };
  await perform({ id: chargeId, type: ChargePayment.type, data });
  return { id: paymentIdOf(chargeId), orderId, chargeId };
}

const refund = ({ orderId, chargeId }: Charged) =>
  perform({ id: `${orderId}/charge/undo`, type: RefundPayment.type, data: { tenant: 'acme', orderId, chargeId } });

const perform = (message: { id: string; type: string; data: { orderId: string; [member: string]: unknown } }) =>
  app.app
    .get(Participant)
    .perform(newMessage({ ...message, source: 'order', subject: message.data.orderId }), { alone: false });

function call(method: Method, url: string, key?: string | null, headers?: Record<string, string>, instance = app) {
  return instance.call(method, url, { key, headers });
}

const get = (url: string, key?: string | null, headers?: Record<string, string>) => call('GET', url, key, headers);
