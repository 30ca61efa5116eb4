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
const back = { idempotencyKey: 'cmd-2', reference: 'pi_1', amount: 1200 };

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
