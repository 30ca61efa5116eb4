/** How money that is held is taken, and what is read of refunds and disputes. A server on a real socket is the provider. */
import { RetryableError, TerminalError } from '@shop/resilience';
import type Stripe from 'stripe';
import { failureOfCall, json, ProviderServer, shownIntent } from '../../testing/provider-server';
import type { CaptureRequest } from './provider';
import { intentOf } from './stripe-intent';
import type { StripeProvider } from './stripe.provider';

const capture: CaptureRequest = {
  idempotencyKey: 'work-1',
  id: 'cap_1',
  reference: 'pi_1',
  amount: 1_200,
  currency: 'USD',
  final: false,
};
const server = new ProviderServer();
let provider: StripeProvider;

beforeAll(async () => {
  await server.open();
  provider = server.provider();
});
beforeEach(() => void server.calls());
afterAll(() => server.close());

/** An intent whose money was held first. The types of the SDK check the names of its members. */
const heldIntent = (
  status: Stripe.PaymentIntent.Status,
  more: Partial<Pick<Stripe.PaymentIntent, 'amount_received' | 'metadata' | 'latest_charge'>> = {},
) => ({ ...shownIntent(status), capture_method: 'manual' as const, amount_received: 0, ...more });

const card = (capture_before: number) =>
  ({ id: 'ch_1', payment_method_details: { card: { capture_before } } }) as unknown as Stripe.Charge;

describe('R58 StripeProvider.capture', () => {
  it('R58 takes a part under our key, and writes our name for it into the intent', async () => {
    server.answer(200, heldIntent('requires_capture', { amount_received: 1_200 }));
    expect(await provider.capture(capture)).toEqual({
      reference: 'pi_1',
      status: 'authorized',
      captured: 1_200,
      captures: ['cap_1'],
    });
    expect(server.seen).toMatchObject([
      { call: 'POST /v1/payment_intents/pi_1/capture', headers: { 'idempotency-key': 'work-1' } },
    ]);
    expect(server.seen[0]!.form).toEqual({
      amount_to_capture: '1200',
      final_capture: 'false',
      'metadata[cap_1]': '1200',
    });
  });

  it('R58 shows an intent of which nothing can be taken any more as it is', async () => {
    const payment_intent = { ...shownIntent('canceled'), capture_method: 'manual', amount_received: 0, metadata: {} };
    server.fails(400, { type: 'invalid_request_error', code: 'payment_intent_unexpected_state', payment_intent });
    expect(await provider.capture(capture)).toEqual({
      reference: 'pi_1',
      status: 'cancelled',
      captured: 0,
      captures: [],
    });
  });

  it('R58 gives up when more is asked for than is held', async () => {
    server.fails(400, { type: 'invalid_request_error', code: 'amount_too_large' });
    expect(await failureOfCall(provider.capture(capture))).toBeInstanceOf(TerminalError);
  });

  it('R4 R58 does not know what became of a request that failed', async () => {
    server.fails(503, { type: 'api_error' });
    expect(await failureOfCall(provider.capture(capture))).toBeInstanceOf(RetryableError);
  });
});

describe('R58 money that is held', () => {
  it('R58 is read with its charge, which tells until when', async () => {
    server.respondBy((response, { search }) =>
      json(response, {
        body: heldIntent('requires_capture', {
          latest_charge: search.get('expand[0]') === 'latest_charge' ? card(1_800_000_000) : 'ch_1',
        }),
      }),
    );
    expect(await provider.retrieve('pi_1')).toMatchObject({ status: 'authorized', until: '2027-01-15T08:00:00.000Z' });
  });

  it.each<[Stripe.PaymentIntent.Status, object]>([
    ['requires_capture', { status: 'authorized', captured: 700, captures: ['cap_1'] }],
    ['succeeded', { status: 'succeeded', captured: 700, captures: ['cap_1'] }],
    ['canceled', { status: 'cancelled', captured: 700, captures: ['cap_1'] }],
  ])('R58 tells what was taken of it, and by which captures: %s', (status, expected) => {
    const shown = heldIntent(status, { amount_received: 700, metadata: { tenant: 'acme', cap_1: '700' } });
    expect(intentOf(shown as Stripe.PaymentIntent)).toMatchObject(expected);
  });

  it('R58 that was taken at once tells nothing of captures', () => {
    const shown = { ...heldIntent('succeeded', { amount_received: 4_200 }), capture_method: 'automatic' };
    expect(intentOf(shown as Stripe.PaymentIntent)).toEqual({ reference: 'pi_1', status: 'succeeded' });
  });
});

describe('R57 StripeProvider.retrieveRefund', () => {
  it.each([
    ['succeeded', 'succeeded'],
    ['pending', 'pending'],
    ['requires_action', 'pending'],
    ['failed', 'failed'],
    ['canceled', 'failed'],
  ])('R57 shows a refund that is %s as %s', async (shown, status) => {
    server.answer(200, { object: 'refund', id: 're_1', status: shown });
    expect(await provider.retrieveRefund('re_1')).toEqual({ reference: 're_1', status });
    expect(server.calls()).toEqual(['GET /v1/refunds/re_1']);
  });

  it.each([null, 'unheard_of'])('R57 does not know what %s means', async (status) => {
    server.answer(200, { object: 'refund', id: 're_1', status });
    expect(await failureOfCall(provider.retrieveRefund('re_1'))).toBeInstanceOf(RetryableError);
  });
});

describe('R57 StripeProvider.dispute', () => {
  const shown = (status: string, payment_intent: string | null = 'pi_1') => ({
    object: 'dispute',
    id: 'dp_1',
    status,
    amount: 1_000,
    currency: 'usd',
    reason: 'fraudulent',
    created: 1_800_000_000,
    payment_intent,
  });
  const about = { ...shownIntent('succeeded'), metadata: { tenant: 'acme', paymentId: 'pmt_1', commandId: 'cmd-1' } };
  const showing = (status: string, payment_intent?: string | null) =>
    server.respondBy((response, { call }) =>
      json(response, { body: call.includes('disputes') ? shown(status, payment_intent) : about }),
    );

  it.each([
    ['needs_response', 'open'],
    ['under_review', 'open'],
    ['won', 'won'],
    ['lost', 'lost'],
    ['warning_needs_response', 'inquiry'],
    ['warning_under_review', 'inquiry'],
    ['warning_closed', 'inquiry'],
    ['prevented', 'inquiry'],
  ])('R57 shows one that is %s as %s, with the payment that it is about', async (given, status) => {
    showing(given);
    expect(await provider.dispute('dp_1')).toEqual({
      id: 'dp_1',
      status,
      amount: 1_000,
      currency: 'USD',
      reason: 'fraudulent',
      openedAt: '2027-01-15T08:00:00.000Z',
      payment: { tenant: 'acme', id: 'pmt_1', reference: 'pi_1' },
    });
    expect(server.calls()).toEqual(['GET /v1/disputes/dp_1', 'GET /v1/payment_intents/pi_1']);
  });

  it('R57 is found by the charge that it is about', async () => {
    server.respondBy((response, { call }) =>
      json(response, {
        body: call.includes('disputes')
          ? { object: 'list', url: '/v1/disputes', data: [shown('needs_response')], has_more: false }
          : about,
      }),
    );
    expect(await provider.disputesOf('pi_1')).toMatchObject([{ id: 'dp_1', status: 'open', payment: { id: 'pmt_1' } }]);
    expect(server.seen[0]!.search.get('payment_intent')).toBe('pi_1');
  });

  it('R57 is none of ours when it is about no intent', async () => {
    showing('needs_response', null);
    expect(await provider.dispute('dp_1')).toMatchObject({ id: 'dp_1', payment: undefined });
  });
});
