/** R4 How answers that do not arrive, or not in time, reach us: the outcome is unknown, and nobody asks twice. */
import { RetryableError } from '@shop/resilience';
import { failureOfCall, ProviderServer } from '../../testing/provider-server';
import type { StripeProvider } from './stripe.provider';

const TIMEOUT_MS = 200;

const server = new ProviderServer();
let provider: StripeProvider;
let hurried: StripeProvider;

beforeAll(async () => {
  await server.open();
  provider = server.provider();
  hurried = server.provider({ timeoutMs: TIMEOUT_MS });
});
beforeEach(() => void server.calls());
afterAll(() => server.close());

const order = {
  idempotencyKey: 'cmd-1',
  tenant: 'acme',
  paymentId: 'pmt_1',
  amount: 4_200,
  currency: 'USD',
  capture: 'automatic' as const,
};
const reference = 'pi_1';

const requests: [string, (of: StripeProvider) => Promise<unknown>][] = [
  ['createIntent', (of) => of.createIntent(order)],
  ['confirm', (of) => of.confirm({ reference, idempotencyKey: 'cmd-1/confirm/1', source: 'tok_ok' })],
  ['retrieve', (of) => of.retrieve(reference)],
  ['cancel', (of) => of.cancel({ reference, idempotencyKey: 'cmd-1/cancel' })],
  ['findIntent', (of) => of.findIntent(order)],
  ['refund', (of) => of.refund({ reference, idempotencyKey: 'cmd-2', amount: 1_200, currency: 'USD' })],
  ['findRefund', (of) => of.findRefund({ reference, idempotencyKey: 'cmd-2', amount: 1_200, currency: 'USD' })],
];

describe.each(requests)('R4 StripeProvider.%s', (_, request) => {
  it('does not know the outcome when the connection is reset, and does not ask again by itself', async () => {
    server.respondBy((response) => response.socket?.resetAndDestroy());
    expect(await failureOfCall(request(provider))).toBeInstanceOf(RetryableError);
    expect(server.calls()).toHaveLength(1);
  });

  it('does not know the outcome when the answer stops in the middle', async () => {
    server.respondBy((response) => {
      response.writeHead(200, { 'content-length': '100' }).write('{"id":');
      setImmediate(() => response.destroy());
    });
    expect(await failureOfCall(request(provider))).toBeInstanceOf(RetryableError);
    expect(server.calls()).toHaveLength(1);
  });

  it('does not know the outcome of an answer that is no object in JSON', async () => {
    for (const text of ['<html>', '"a text"', '7', 'true', '']) {
      server.respondBy((response) => response.end(text));
      expect(await failureOfCall(request(provider))).toBeInstanceOf(RetryableError);
    }
  });

  it('does not wait longer than its timeout, even when the answer trickles in', async () => {
    let trickle: NodeJS.Timeout | undefined;
    server.respondBy((response) => {
      trickle = setInterval(() => response.write(' '), TIMEOUT_MS / 4);
    });
    expect(await failureOfCall(request(hurried))).toBeInstanceOf(RetryableError);
    clearInterval(trickle);
  });

  it('does not wait longer than its timeout for no answer at all', async () => {
    server.respondBy(() => undefined);
    expect(await failureOfCall(request(hurried))).toBeInstanceOf(RetryableError);
  });

  it('waits as long as the provider asks for', async () => {
    server.fails(429, { type: 'invalid_request_error', code: 'rate_limit' }, { 'retry-after': '3' });
    expect(await failureOfCall(request(provider))).toMatchObject({ name: 'RetryableError', retryAfterMs: 3_000 });
  });

  it('does not know the outcome when nobody listens', async () => {
    const alone = server.provider({ baseUrl: 'http://127.0.0.1:1' });
    expect(await failureOfCall(request(alone))).toBeInstanceOf(RetryableError);
  });
});
