/** Disputes, payouts and the balance, as the real SDK sees them. */
import { eventually } from '@shop/testing';
import type Stripe from 'stripe';
import { failureOf, startProvider, type TestProvider } from '../testing';

interface Outcome {
  id: string;
  status: string;
}

let provider: TestProvider;

beforeAll(async () => {
  provider = await startProvider();
});
beforeEach(() => provider.admin('DELETE', 'charges'));
afterAll(() => provider.close());

describe('a dispute', () => {
  it('takes the money back, and what it holds cannot be refunded', async () => {
    const id = await pay(4_200);
    const { id: disputeId } = await provider.admin<Outcome>('POST', `charges/${id}/disputes`, { reason: 'general' });
    const [dispute] = (await provider.stripe.disputes.list({ payment_intent: id })).data;
    expect(dispute).toMatchObject({ id: disputeId, amount: 4_200, status: 'needs_response', reason: 'general' });
    expect(await failureOf(provider.stripe.refunds.create({ payment_intent: id }))).toMatchObject({
      code: 'charge_disputed',
    });
    expect(await typesAndNets()).toEqual([
      ['adjustment', -5_700],
      ['charge', 4_112],
    ]);
    expect(await charges()).toMatchObject([{ disputed: true, refunded: 0 }]);
  });

  it.each([
    ['won', 4_200],
    ['lost', 0],
  ])('that is %s brings back %i', async (status, back) => {
    const id = await pay(4_200);
    const { id: disputeId } = await provider.admin<Outcome>('POST', `charges/${id}/disputes`, {});
    const close = () => provider.admin('POST', `disputes/${disputeId}/close`, { status });
    expect(await close()).toEqual({ id: disputeId, status });
    expect(await close()).toMatchObject({ code: 'unexpected_state' });
    const { balance_transactions: transactions } = await provider.stripe.disputes.retrieve(disputeId);
    expect(transactions.reduce((sum, { amount }) => sum + amount, 4_200)).toBe(back);
    const refund = provider.stripe.refunds.create({ payment_intent: id });
    if (status === 'won') expect((await refund).amount).toBe(4_200);
    else expect(await failureOf(refund)).toMatchObject({ code: 'charge_disputed' });
  });

  it('opens by itself when the source asks for it', async () => {
    const id = await pay(4_200, 'tok_disputed');
    expect((await provider.stripe.disputes.list()).data).toMatchObject([{ payment_intent: id, reason: 'fraudulent' }]);
  });

  it('is not about more than is there', async () => {
    const id = await pay(4_200);
    await provider.stripe.refunds.create({ payment_intent: id, amount: 200 });
    const dispute = (amount?: number) => provider.admin('POST', `charges/${id}/disputes`, { amount });
    expect(await dispute(4_001)).toMatchObject({ code: 'not_disputable' });
    expect(await dispute()).toMatchObject({ status: 'needs_response' });
    expect(await dispute(1)).toMatchObject({ code: 'not_disputable' });
    expect(await provider.admin('POST', 'charges/pi_0/disputes', {})).toMatchObject({ code: 'not_found' });
  });
});

describe('a payout', () => {
  it('pays each change of the balance once, and is the sum of what it pays', async () => {
    const [first] = [await pay(4_200), await pay(100, 'tok_ok', 'eur')];
    await provider.stripe.refunds.create({ payment_intent: first, amount: 1_000 });
    const { id } = await provider.admin<Outcome>('POST', 'payouts', { currency: 'usd' });
    const payout = await provider.stripe.payouts.retrieve(id);
    expect(payout).toMatchObject({ amount: 4_112 - 1_000, currency: 'usd', status: 'paid' });
    const paid = await transactionsOf({ payout: id });
    expect(paid.map(({ type }) => type)).toEqual(['payout', 'refund', 'charge']);
    expect(paid.reduce((sum, { net }) => sum + net, 0)).toBe(0);
    expect(await provider.admin('POST', 'payouts', { currency: 'usd' })).toMatchObject({ code: 'nothing_to_pay' });
    await pay(1_000);
    const next = await provider.admin<Outcome>('POST', 'payouts', {});
    expect(await transactionsOf({ payout: next.id })).toMatchObject([
      { type: 'payout' },
      { type: 'charge', amount: 1_000 },
    ]);
  });

  it('that the bank sends back is paid again', async () => {
    await pay(4_200);
    const { id } = await provider.admin<Outcome>('POST', 'payouts', {});
    expect(await provider.admin('POST', `payouts/${id}/fail`)).toEqual({ id, status: 'failed' });
    expect(await provider.admin('POST', `payouts/${id}/fail`)).toMatchObject({ code: 'unexpected_state' });
    const again = await provider.admin<Outcome>('POST', 'payouts', {});
    expect(await provider.stripe.payouts.retrieve(again.id)).toMatchObject({ amount: 4_112 });
    expect(typesOf((await provider.stripe.events.list({ limit: 4 })).data)).toContain('payout.failed');
  });
});

describe('the books of the merchant', () => {
  it('are the same after a restart', async () => {
    const id = await pay(4_200);
    await provider.stripe.refunds.create({ payment_intent: id, amount: 100 });
    await provider.admin('POST', 'payouts', {});
    await provider.admin('POST', `charges/${id}/disputes`, {});
    const content = async () => {
      const { charges, disputes, payouts, balanceTransactions, events, refunds } = provider.stripe;
      const lists = [charges, disputes, payouts, balanceTransactions, events, refunds];
      return Promise.all(lists.map(async (list) => (await list.list({ limit: 100 })).data));
    };
    const before = await content();
    await provider.restart();
    expect(await content()).toEqual(before);
    expect(await provider.admin('POST', 'payouts', {})).toMatchObject({ code: 'nothing_to_pay' });
  });

  it('are read in pages, by source and by time', async () => {
    const ids = [await pay(100), await pay(200), await pay(300)];
    const charged = await provider.stripe.charges.list({ limit: 2 }).autoPagingToArray({ limit: 10 });
    expect(charged.map(({ payment_intent: intent }) => intent)).toEqual(ids.toReversed());
    const [charge] = (await provider.stripe.charges.list({ payment_intent: ids[1] })).data;
    expect(await provider.stripe.charges.retrieve(charge!.id)).toMatchObject({ amount: 200, amount_refunded: 0 });
    expect(await transactionsOf({ source: charge!.id })).toMatchObject([{ amount: 200 }]);
    expect(await transactionsOf({ created: { gt: charge!.created + 3_600 } })).toEqual([]);
    expect(await transactionsOf({ created: { gte: charge!.created - 3_600 }, type: 'charge' })).toHaveLength(3);
  });
});

describe('what waits for the bank', () => {
  it('is settled by itself after the time that was set, and a failing refund fails', async () => {
    const processing = await pay(100, 'tok_processing');
    const pending = await refundOf(await pay(100, 'tok_refund_pending'));
    const failing = await refundOf(await pay(100, 'tok_refund_fails'));
    await provider.admin('PUT', 'settings', { settleAfterMs: 1 });
    const later = await refundOf(await pay(100, 'tok_refund_pending'));
    await eventually(async () => {
      expect((await provider.stripe.paymentIntents.retrieve(processing)).status).toBe('succeeded');
      const statuses = await Promise.all([pending, failing, later].map((id) => provider.stripe.refunds.retrieve(id)));
      expect(statuses.map(({ status }) => status)).toEqual(['succeeded', 'failed', 'succeeded']);
    });
    await provider.admin('PUT', 'settings', {});
  });
});

async function pay(amount: number, source = 'tok_ok', currency = 'usd'): Promise<string> {
  const params = { amount, currency, confirm: true, payment_method: source };
  return (await provider.stripe.paymentIntents.create(params)).id;
}

async function refundOf(intent: string): Promise<string> {
  return (await provider.stripe.refunds.create({ payment_intent: intent })).id;
}

async function transactionsOf(params: Stripe.BalanceTransactionListParams): Promise<Stripe.BalanceTransaction[]> {
  return (await provider.stripe.balanceTransactions.list({ limit: 100, ...params })).data;
}

async function typesAndNets(): Promise<[string, number][]> {
  return (await transactionsOf({})).map(({ type, net }) => [type, net] as [string, number]).toSorted();
}

async function charges(): Promise<object[]> {
  return (await provider.admin<{ charges: object[] }>('GET', 'charges')).charges;
}

function typesOf(events: { type: string }[]): string[] {
  return events.map(({ type }) => type);
}
