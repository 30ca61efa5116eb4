/** How money is given back, and which amounts reach the provider. A server on a real socket is the provider. */
import { RetryableError, TerminalError } from '@shop/resilience';
import type Stripe from 'stripe';
import { failureOfCall, json, ProviderServer, type ShownError, shownIntent } from '../../testing/provider-server';
import type { RefundRequest } from './provider';
import type { StripeProvider } from './stripe.provider';

const back: RefundRequest = { idempotencyKey: 'cmd-2', reference: 'pi_1', amount: 1_200, currency: 'USD' };

const server = new ProviderServer();
let provider: StripeProvider;

beforeAll(async () => {
  await server.open();
  provider = server.provider();
});
beforeEach(() => void server.calls());
afterAll(() => server.close());

/** The types of the SDK check the names of its members. */
const shownRefund = (
  status: string | null,
  more: Partial<Pick<Stripe.Refund, 'id' | 'metadata'>> = {},
): Pick<Stripe.Refund, 'object' | 'id' | 'status' | 'metadata'> => ({
  object: 'refund',
  id: 're_1',
  status,
  metadata: null,
  ...more,
});

describe('StripeProvider.refund', () => {
  it.each([
    ['succeeded', 'succeeded'],
    ['pending', 'pending'],
    ['requires_action', 'pending'],
  ])('R38 takes a refund that is %s', async (shown, status) => {
    server.answer(200, shownRefund(shown));
    expect(await provider.refund(back)).toEqual({ reference: 're_1', status });
    expect(server.seen).toMatchObject([{ call: 'POST /v1/refunds', headers: { 'idempotency-key': 'cmd-2' } }]);
    expect(server.seen[0]!.form).toEqual({ payment_intent: 'pi_1', amount: '1200', 'metadata[commandId]': 'cmd-2' });
  });

  it.each(['failed', 'canceled'])('gives up on a refund that is %s', async (status) => {
    server.answer(200, shownRefund(status));
    expect(await failureOfCall(provider.refund(back))).toBeInstanceOf(TerminalError);
  });

  it('gives up on a refund of what was given back already', async () => {
    server.fails(400, { type: 'invalid_request_error', code: 'charge_already_refunded' });
    expect(await failureOfCall(provider.refund(back))).toBeInstanceOf(TerminalError);
  });

  it.each<[number, ShownError]>([
    [400, { type: 'idempotency_error' }],
    [401, { type: 'invalid_request_error' }],
    [403, { type: 'invalid_request_error' }],
    [409, { type: 'invalid_request_error' }],
    [503, { type: 'api_error' }],
  ])('R4 does not take %i %j for a word on the money: an earlier call may have moved it', async (status, error) => {
    server.fails(status, error);
    expect(await failureOfCall(provider.refund(back))).toBeInstanceOf(RetryableError);
  });
});

describe('R4 StripeProvider.findRefund', () => {
  const refund = (id: string, commandId: string, status = 'succeeded') =>
    shownRefund(status, { id, metadata: { commandId } });
  const list = (data: unknown[], has_more = false) => ({ object: 'list', url: '/v1/refunds', data, has_more });

  it('looks through all refunds of the charge for ours', async () => {
    const pages = [
      list([refund('re_9', 'cmd-9'), refund('re_2', 'cmd-2', 'failed')], true),
      list([refund('re_3', 'cmd-2', 'pending')]),
    ];
    server.respondBy((response) => json(response, { body: pages[server.seen.length - 1] }));
    expect(await provider.findRefund(back)).toEqual({ reference: 're_3', status: 'pending' });
    expect(server.seen.map(({ search }) => search.get('payment_intent'))).toEqual(['pi_1', 'pi_1']);
  });

  it('finds nothing when ours is not there or was turned down', async () => {
    server.answer(200, list([refund('re_9', 'cmd-9'), refund('re_2', 'cmd-2', 'failed'), shownRefund('succeeded')]));
    expect(await provider.findRefund(back)).toBeUndefined();
  });

  it('fails when the list fails', async () => {
    server.fails(500, { type: 'api_error' });
    expect(await failureOfCall(provider.findRefund(back))).toBeInstanceOf(RetryableError);
  });
});

describe('R38 the amounts on the wire', () => {
  const create = (money: { amount: number; currency: string }) =>
    provider.createIntent({
      idempotencyKey: 'cmd-1',
      tenant: 'acme',
      paymentId: 'pmt_1',
      capture: 'automatic',
      ...money,
    });

  it.each([
    ['ISK', 5_001, '500100'],
    ['UGX', 5, '500'],
    ['MGA', 1_200, '12'],
    ['KWD', 5_120, '5120'],
    ['JPY', 500, '500'],
    ['EUR', 4_200, '4200'],
  ])('are those of the provider, for charges and refunds: %s %d', async (currency, amount, units) => {
    server.shows(shownIntent('requires_payment_method'));
    await create({ currency, amount });
    server.answer(200, shownRefund('succeeded'));
    await provider.refund({ ...back, currency, amount });
    expect(server.seen.map(({ form }) => form.amount)).toEqual([units, units]);
  });

  it('stay as they are for a refund that an earlier version has begun', async () => {
    server.answer(200, shownRefund('succeeded'));
    await provider.refund({ ...back, currency: undefined, amount: 5_001 });
    expect(server.seen[0]!.form.amount).toBe('5001');
  });

  it.each([
    ['KPW', 100],
    ['MGA', 150],
    ['ISK', 1_000_000],
  ])('are not sent when the provider would not take them: %s %d', async (currency, amount) => {
    expect(await failureOfCall(create({ currency, amount }))).toBeInstanceOf(TerminalError);
    expect(await failureOfCall(provider.refund({ ...back, currency, amount }))).toBeInstanceOf(TerminalError);
    expect(server.seen).toEqual([]);
  });
});
