/** The tax service over HTTP: what it quotes and is told, and how it fails. */
import { startProvider, type TestProvider } from '../../testing';
import type { TaxTransactionsView } from './tax.view';

let provider: TestProvider;

beforeAll(async () => {
  provider = await startProvider();
});
beforeEach(async () => {
  await provider.admin('DELETE', 'tax-faults');
  await provider.admin('DELETE', 'tax-transactions');
});
afterAll(() => provider.close());

interface Answered {
  status: number;
  code?: string;
  body: { lines?: object[]; code?: string };
}

/** The path, and whether there is a key. */
async function ask(method: string, path: string, body: object, key: string | null = 'any'): Promise<Answered> {
  const headers = { 'content-type': 'application/json', ...(key !== null && { authorization: `Bearer ${key}` }) };
  const answer = await fetch(`${provider.url}/tax/v1${path}`, { method, headers, body: JSON.stringify(body) });
  const read = (await answer.json()) as Answered['body'];
  return { status: answer.status, code: read.code, body: read };
}
const said = async (answer: Promise<Answered>): Promise<string> => {
  const { status, code } = await answer;
  return code === undefined ? `${status}` : `${status} ${code}`;
};

const rate = { rate: 1_900, gross: 1_190, net: 1_000, tax: 190 };
const half = { rate: 1_900, gross: 595, net: 500, tax: 95 };
const invoice = { currency: 'EUR', rates: [rate] };
const credit = (reference: string, part = half) => ({ reference, currency: 'EUR', amount: part.gross, rates: [part] });
const lines = [{ sku: 'cup', amount: 1_190, quantity: 1 }];
const commit = (number: string, body: object = invoice) => ask('PUT', `/transactions/${number}`, body);
const refund = (number: string, body: object) => ask('POST', `/transactions/${number}/refunds`, body);
const told = async () => (await provider.admin<TaxTransactionsView>('GET', 'tax-transactions')).transactions;

describe('the tax service', () => {
  it('quotes by the beginning of the SKU', async () => {
    const asked = [
      { sku: 'cup', amount: 11_900, quantity: 1 },
      { sku: 'book-1', amount: 1_070, quantity: 2 },
      { sku: 'gift-card', amount: 500, quantity: 1 },
    ];
    const { status, body } = await ask('POST', '/quotes', { currency: 'EUR', country: 'DE', lines: asked });
    expect([status, body.lines]).toEqual([
      200,
      [
        { sku: 'cup', rate: 1_900, tax: 1_900 },
        { sku: 'book-1', rate: 700, tax: 70 },
        { sku: 'gift-card', rate: 0, tax: 0 },
      ],
    ]);
  });

  it('is told of an invoice once, and of each of its credit notes once', async () => {
    const outcomes = [commit('a.1'), commit('a.1', { ...invoice, currency: 'USD' })].map(said);
    expect((await Promise.all(outcomes)).sort()).toEqual(['201', '409 duplicate']);
    expect(await said(refund('a.1', credit('a.c1')))).toBe('201');
    expect(await said(refund('a.1', credit('a.c1')))).toBe('409 duplicate');
    expect(await said(refund('a.1', credit('a.c2')))).toBe('201');
    expect(await said(refund('a.1', credit('a.c3')))).toBe('422 refund_exceeds_transaction');
    const [transaction] = await told();
    expect(transaction).toMatchObject({
      number: 'a.1',
      refunds: [{ reference: 'a.c1' }, { reference: 'a.c2', amount: 595 }],
    });
  });

  it('does not take what does not fit', async () => {
    const wrong = { ...rate, net: 1_001, tax: 189 };
    expect(await said(commit('b.1', { currency: 'EUR', rates: [wrong] }))).toBe('422 tax_does_not_match');
    expect(await said(refund('b.1', credit('b.c1')))).toBe('404 unknown_transaction');
    await commit('b.1');
    expect(await said(refund('b.1', { ...credit('b.c1'), currency: 'USD' }))).toBe('422 currency_does_not_match');
    expect(await said(refund('b.1', { ...credit('b.c1'), amount: 1 }))).toBe('422 tax_does_not_match');
    expect(await said(commit('b.2', { currency: 'eur', rates: [] }))).toBe('400 validation_failed');
    expect(await said(ask('POST', '/quotes', { currency: 'EUR', lines }, null))).toBe('401 unauthenticated');
  });

  it('refuses all refunds while it is asked to, and invoices never', async () => {
    await provider.admin('PUT', 'tax-faults', { refuseRefunds: true });
    expect(await said(commit('c.1'))).toBe('201');
    expect(await said(refund('c.1', credit('c.c1')))).toBe('422 refund_refused');
    await provider.admin('DELETE', 'tax-faults');
    expect(await said(refund('c.1', credit('c.c1')))).toBe('201');
  });

  it.each([
    ['errorRate', '500 internal_error', 0],
    ['rateLimitRate', '429 rate_limited', 0],
    ['resetRate', 'lost', 0],
    ['lostAnswerRate', 'lost', 1],
  ])('shows %s, and has then been told so often: %s', async (fault, outcome, count) => {
    await provider.admin('PUT', 'tax-faults', { [fault]: 1 });
    expect(await said(commit('d.1')).catch(() => 'lost')).toBe(outcome);
    expect(await told()).toHaveLength(count);
  });

  it('holds the connection of what it never answers, and has been told', async () => {
    await provider.admin('PUT', 'tax-faults', { neverAnswerRate: 1 });
    const headers = { 'content-type': 'application/json', authorization: 'Bearer any' };
    const patience = AbortSignal.timeout(200);
    const asking = fetch(`${provider.url}/tax/v1/transactions/e.1`, {
      method: 'PUT',
      headers,
      body: JSON.stringify(invoice),
      signal: patience,
    });
    await expect(asking).rejects.toThrow(/abort|timeout/i);
    expect(await told()).toHaveLength(1);
  });

  it('does not show the faults of the payment provider, nor this one those of the other', async () => {
    await provider.admin('PUT', 'faults', { errorRate: 1 });
    expect(await said(commit('f.1'))).toBe('201');
    await provider.admin('DELETE', 'faults');
    await provider.admin('PUT', 'tax-faults', { errorRate: 1 });
    expect((await provider.stripe.paymentIntents.list()).data).toEqual([]);
    expect(await provider.admin('PUT', 'tax-faults', { errorRate: 0.6, resetRate: 0.6 })).toMatchObject({
      code: 'validation_failed',
    });
  });

  it('remembers what it was told when it is killed', async () => {
    await commit('g.1');
    await refund('g.1', credit('g.c1'));
    const before = await told();
    await provider.restart();
    expect(await told()).toEqual(before);
    expect(await said(commit('g.1'))).toBe('409 duplicate');
  });
});
