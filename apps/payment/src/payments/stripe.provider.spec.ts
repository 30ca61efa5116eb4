/** How answers and missing answers of the provider reach us. A small server on a real socket replaces the provider. */
import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { RetryableError, TerminalError } from '@shop/resilience';
import { SimulatedProvider } from './simulated.provider';
import { StripeProvider } from './stripe.provider';

/** Much longer than any answer takes here, so the tests see the effects of answers and not of the clock. */
const PATIENCE_MS = 30_000;
const TIMEOUT_MS = 200;

interface Seen {
  url?: string;
  headers: IncomingHttpHeaders;
  form: URLSearchParams;
}

const order = { idempotencyKey: 'cmd-1', paymentId: 'pmt_1', amount: 4200, currency: 'USD', source: 'tok_ok' };
const back = { idempotencyKey: 'cmd-2', reference: 'pi_1', amount: 1200, currency: 'USD' };

let server: Server;
let open: (timeoutMs: number) => StripeProvider;
let provider: StripeProvider;
let answer: (response: ServerResponse) => void;
let seen: Seen[];

beforeAll(async () => {
  server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
    request.on('end', () => {
      seen.push({ url: request.url, headers: request.headers, form: new URLSearchParams(body) });
      answer(response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  open = (timeoutMs) => new StripeProvider({ apiKey: 'sk_test_x', baseUrl: `http://127.0.0.1:${port}`, timeoutMs });
  provider = open(PATIENCE_MS);
});
beforeEach(() => (seen = []));
afterAll(async () => {
  provider.onApplicationShutdown();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

describe('StripeProvider.charge', () => {
  it('asks for an immediate charge under our key, traceable to our payment', async () => {
    answer = json(200, { id: 'pi_1', status: 'succeeded' });
    expect(await provider.charge(order)).toEqual({ outcome: 'succeeded', reference: 'pi_1' });
    expect(seen[0]).toMatchObject({
      url: '/v1/payment_intents',
      headers: { 'idempotency-key': 'cmd-1', authorization: 'Bearer sk_test_x' },
    });
    expect(Object.fromEntries(seen[0]!.form)).toMatchObject({
      amount: '4200',
      currency: 'usd',
      confirm: 'true',
      payment_method: 'tok_ok',
      'metadata[paymentId]': 'pmt_1',
      'metadata[commandId]': 'cmd-1',
    });
  });

  it.each([
    [{ type: 'card_error', code: 'card_declined', decline_code: 'insufficient_funds' }, 402, 'insufficient_funds'],
    [{ type: 'card_error', code: 'expired_card' }, 402, 'expired_card'],
    [{ type: 'invalid_request_error', code: 'resource_missing', param: 'payment_method' }, 400, 'unknown_source'],
  ])('takes %j as a refusal', async (error, status, reason) => {
    answer = json(status, { error });
    expect(await provider.charge(order)).toEqual({ outcome: 'declined', reason });
  });

  it.each([
    [400, { type: 'invalid_request_error', code: 'parameter_invalid', param: 'amount' }],
    [404, { type: 'invalid_request_error' }],
  ])('gives up on %i %j', async (status, error) => {
    answer = json(status, { error });
    expect(await failure(provider.charge(order))).toBeInstanceOf(TerminalError);
  });

  it.each([408, 409, 424, 429, 500, 502, 503])('asks again after %i', async (status) => {
    answer = json(status, { error: { type: 'api_error' } });
    expect(await failure(provider.charge(order))).toBeInstanceOf(RetryableError);
  });

  it.each([
    [400, { type: 'idempotency_error' }],
    [401, { type: 'invalid_request_error' }],
    [403, { type: 'invalid_request_error' }],
  ])('R4 does not take %i %j for a word on the money: an earlier call may have moved it', async (status, error) => {
    answer = json(status, { error });
    expect(await failure(provider.charge(order))).toBeInstanceOf(RetryableError);
    expect(await failure(provider.refund(back))).toBeInstanceOf(RetryableError);
  });

  it('asks again when the provider has not decided yet, or talks nonsense', async () => {
    for (const body of [{ id: 'pi_1', status: 'processing' }, {}, null]) {
      answer = json(200, body);
      expect(await failure(provider.charge(order))).toBeInstanceOf(RetryableError);
    }
    answer = (response) => response.end('<html>');
    expect(await failure(provider.charge(order))).toBeInstanceOf(RetryableError);
  });

  it('waits as long as the provider asks for', async () => {
    answer = json(429, { error: { type: 'invalid_request_error', code: 'rate_limit' } }, { 'retry-after': '3' });
    expect(await failure(provider.charge(order))).toMatchObject({ name: 'RetryableError', retryAfterMs: 3_000 });
  });

  it('does not know the outcome when the connection is reset, and does not ask again by itself', async () => {
    answer = (response) => response.socket?.resetAndDestroy();
    expect(await failure(provider.charge(order))).toBeInstanceOf(RetryableError);
    expect(seen).toHaveLength(1);
  });

  it('does not know the outcome when the answer stops in the middle', async () => {
    answer = (response) => {
      response.writeHead(200, { 'content-length': '100' }).write('{"id":');
      setImmediate(() => response.destroy());
    };
    expect(await failure(provider.charge(order))).toBeInstanceOf(RetryableError);
    expect(seen).toHaveLength(1);
  });

  it('does not wait longer than its timeout, even when the answer trickles in', async () => {
    const hurried = open(TIMEOUT_MS);
    let trickle: NodeJS.Timeout | undefined;
    answer = (response) => {
      trickle = setInterval(() => response.write(' '), TIMEOUT_MS / 4);
    };
    expect(await failure(hurried.charge(order))).toBeInstanceOf(RetryableError);
    clearInterval(trickle);
    answer = () => undefined;
    expect(await failure(hurried.charge(order))).toBeInstanceOf(RetryableError);
    hurried.onApplicationShutdown();
  });

  it('does not know the outcome when nobody listens', async () => {
    const alone = new StripeProvider({ apiKey: 'sk_test_x', baseUrl: 'http://127.0.0.1:1', timeoutMs: PATIENCE_MS });
    expect(await failure(alone.charge(order))).toBeInstanceOf(RetryableError);
    alone.onApplicationShutdown();
  });
});

describe('R38 the amounts on the wire', () => {
  it.each([
    ['ISK', 5_001, '500100'],
    ['UGX', 5, '500'],
    ['MGA', 1_200, '12'],
    ['KWD', 5_120, '5120'],
    ['JPY', 500, '500'],
    ['EUR', 4_200, '4200'],
  ])('are those of the provider, for charges and refunds: %s %d', async (currency, amount, units) => {
    answer = json(200, { id: 'x_1', status: 'succeeded' });
    await provider.charge({ ...order, currency, amount });
    await provider.refund({ ...back, currency, amount });
    expect(seen.map(({ form }) => form.get('amount'))).toEqual([units, units]);
  });

  it('stay as they are for a refund that an earlier version has begun', async () => {
    answer = json(200, { id: 're_1', status: 'succeeded' });
    await provider.refund({ ...back, currency: undefined, amount: 5_001 });
    expect(seen[0]!.form.get('amount')).toBe('5001');
  });

  it.each([
    ['KPW', 100],
    ['MGA', 150],
    ['ISK', 1_000_000],
  ])('are not sent when the provider would not take them: %s %d', async (currency, amount) => {
    expect(await failure(provider.charge({ ...order, currency, amount }))).toBeInstanceOf(TerminalError);
    expect(await failure(provider.refund({ ...back, currency, amount }))).toBeInstanceOf(TerminalError);
    expect(seen).toEqual([]);
  });
});

describe('R4 StripeProvider.findCharge', () => {
  /** What the search shows, and what the intents are by now. */
  const shows = (...intents: { id: string; status: string; [member: string]: unknown }[]) => {
    answer = (response) => {
      const { url } = seen.at(-1)!;
      const one = intents.find(({ id }) => url === `/v1/payment_intents/${id}`);
      const data = intents.map(({ id }) => ({ id, status: 'requires_confirmation' }));
      json(200, one ?? { object: 'search_result', data, has_more: false })(response);
    };
  };
  const intent = (status: string, more: object = {}) => ({
    id: 'pi_1',
    status,
    amount: 4_200,
    currency: 'usd',
    ...more,
  });

  it('searches for our id, and believes the intent and not the search', async () => {
    shows(intent('succeeded'));
    expect(await provider.findCharge(order)).toEqual({ outcome: 'succeeded', reference: 'pi_1' });
    const url = new URL(seen[0]!.url!, 'http://provider');
    expect([url.pathname, url.searchParams.get('query')]).toEqual([
      '/v1/payment_intents/search',
      `metadata['commandId']:'cmd-1'`,
    ]);
    expect(seen[0]!.headers['idempotency-key']).toBeUndefined();
  });

  it('cannot be led astray by quotes in an id', async () => {
    shows();
    await provider.findCharge({ ...order, idempotencyKey: `a' OR b\\` });
    expect(new URL(seen[0]!.url!, 'http://provider').searchParams.get('query')).toBe(
      `metadata['commandId']:'a\\' OR b\\\\'`,
    );
  });

  it('finds nothing, or a decline with its reason', async () => {
    shows();
    expect(await provider.findCharge(order)).toBeUndefined();
    shows(
      intent('requires_payment_method', { last_payment_error: { code: 'card_declined', decline_code: 'lost_card' } }),
    );
    expect(await provider.findCharge(order)).toEqual({ outcome: 'declined', reason: 'lost_card' });
    shows(intent('canceled'));
    expect(await provider.findCharge(order)).toEqual({ outcome: 'declined', reason: 'card_declined' });
  });

  it('prefers the intent that took the money', async () => {
    shows(intent('requires_payment_method', { id: 'pi_0' }), intent('succeeded'));
    expect(await provider.findCharge(order)).toEqual({ outcome: 'succeeded', reference: 'pi_1' });
  });

  it.each<[string, object]>([
    ['is not decided', { status: 'processing' }],
    ['has another amount', { amount: 42 }],
    ['has another currency', { currency: 'eur' }],
  ])('does not tell the outcome of an intent that %s', async (_, more) => {
    shows(intent('succeeded', more));
    expect(await failure(provider.findCharge(order))).toBeInstanceOf(RetryableError);
  });

  it('fails when the search fails', async () => {
    answer = json(503, { error: { type: 'api_error' } });
    expect(await failure(provider.findCharge(order))).toBeInstanceOf(RetryableError);
  });
});

describe('R4 StripeProvider.findRefund', () => {
  const refund = (id: string, commandId: string, status = 'succeeded') => ({ id, status, metadata: { commandId } });

  it('looks through all refunds of the charge for ours', async () => {
    const pages = [
      { data: [refund('re_9', 'cmd-9'), refund('re_2', 'cmd-2', 'failed')], has_more: true },
      { data: [refund('re_3', 'cmd-2', 'pending')], has_more: false },
    ];
    answer = (response) => json(200, { object: 'list', url: '/v1/refunds', ...pages[seen.length - 1] })(response);
    expect(await provider.findRefund(back)).toEqual({ reference: 're_3' });
    expect(seen.map(({ url }) => new URL(url!, 'http://provider').searchParams.get('payment_intent'))).toEqual([
      'pi_1',
      'pi_1',
    ]);
  });

  it('finds nothing when ours is not there or was turned down', async () => {
    const data = [refund('re_9', 'cmd-9'), refund('re_2', 'cmd-2', 'failed'), { id: 're_1', status: 'succeeded' }];
    answer = json(200, { object: 'list', url: '/v1/refunds', data, has_more: false });
    expect(await provider.findRefund(back)).toBeUndefined();
  });

  it('fails when the list fails', async () => {
    answer = json(500, { error: { type: 'api_error' } });
    expect(await failure(provider.findRefund(back))).toBeInstanceOf(RetryableError);
  });
});

describe('StripeProvider.refund', () => {
  it.each(['succeeded', 'pending'])('takes a refund that is %s', async (status) => {
    answer = json(200, { id: 're_1', status });
    expect(await provider.refund(back)).toEqual({ reference: 're_1' });
    expect(seen[0]).toMatchObject({ url: '/v1/refunds', headers: { 'idempotency-key': 'cmd-2' } });
    expect(Object.fromEntries(seen[0]!.form)).toMatchObject({ payment_intent: 'pi_1', amount: '1200' });
  });

  it('gives up on a refund that failed or is too large, and asks again after trouble', async () => {
    answer = json(200, { id: 're_1', status: 'failed' });
    expect(await failure(provider.refund(back))).toBeInstanceOf(TerminalError);
    answer = json(400, { error: { type: 'invalid_request_error', code: 'charge_already_refunded' } });
    expect(await failure(provider.refund(back))).toBeInstanceOf(TerminalError);
    answer = json(503, { error: { type: 'api_error' } });
    expect(await failure(provider.refund(back))).toBeInstanceOf(RetryableError);
  });
});

describe('SimulatedProvider', () => {
  it('says the same thing for the same key, and declines like the sandbox', async () => {
    const [one, two] = [new SimulatedProvider(), new SimulatedProvider()];
    expect(await one.charge(order)).toEqual(await two.charge(order));
    expect(await one.charge(order)).not.toEqual(await one.charge({ ...order, idempotencyKey: 'cmd-9' }));
    expect(await one.refund(back)).toEqual(await two.refund(back));
    expect(await one.findCharge(order)).toEqual(await two.charge(order));
    expect(await one.findRefund(back)).toEqual(await two.refund(back));
    expect(await one.charge({ ...order, source: 'tok_declined' })).toEqual({
      outcome: 'declined',
      reason: 'generic_decline',
    });
  });
});

function json(status: number, body: unknown, headers: Record<string, string> = {}) {
  return (response: ServerResponse): void => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
  };
}

function failure(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => Promise.reject(new Error('it succeeded')),
    (error: unknown) => error,
  );
}
