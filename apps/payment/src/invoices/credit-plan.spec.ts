import fc from 'fast-check';
import { creditsFor, type GivenBack } from './credit-plan';
import { totalsOf } from './totals';

const invoiceOf = (...lines: [gross: number, rate: number][]) => ({
  totals: totalsOf(lines.map(([gross, rate]) => ({ sku: 'cup', quantity: 1, gross, rate }))).totals,
});
const refund = (id: string, amount: number): GivenBack => ({ id, amount });
const brief = (credits: ReturnType<typeof creditsFor>) =>
  credits.map(({ refundId, totals }) => [refundId, totals.gross]);

describe('R39 the credit notes of an order', () => {
  const invoice = invoiceOf([1_190, 1_900], [1_070, 700]);

  it('R39 are one for each refund that has none', () => {
    const first = creditsFor(invoice, [], [refund('a', 1_000)]);
    expect(brief(first)).toEqual([['a', 1_000]]);
    expect(brief(creditsFor(invoice, first, [refund('a', 1_000), refund('b', 260)]))).toEqual([['b', 260]]);
    expect(creditsFor(invoice, first, [refund('a', 1_000)])).toEqual([]);
  });

  it('R39 come to the invoice at most', () => {
    expect(brief(creditsFor(invoice, [], [refund('a', 2_000), refund('b', 2_000), refund('c', 1)]))).toEqual([
      ['a', 2_000],
      ['b', 260],
    ]);
    expect(creditsFor(invoiceOf(), [], [refund('a', 5)])).toEqual([]);
  });

  it('R39 are not made a second time when a refund came back from the bank and was made again', () => {
    const notes = creditsFor(invoice, [], [refund('a', 1_000)]);
    expect(creditsFor(invoice, notes, [])).toEqual([]);
    expect(creditsFor(invoice, notes, [refund('again', 1_000)])).toEqual([]);
    expect(brief(creditsFor(invoice, notes, [refund('again', 1_200)]))).toEqual([['again', 200]]);
  });

  it('R39 come to what was given back, in whatever steps it is looked at, and to the tax of the invoice at the end', () => {
    const amount = fc.integer({ min: 1, max: 5_000 });
    const lines = fc.array(fc.tuple(amount, fc.constantFrom(0, 700, 1_900)), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(lines, fc.array(amount, { maxLength: 8 }), fc.nat({ max: 8 }), (sold, amounts, seen) => {
        const whole = invoiceOf(...sold);
        const refunds = amounts.map((one, index) => refund(`r${index}`, one));
        const early = creditsFor(whole, [], refunds.slice(0, seen));
        const all = [...early, ...creditsFor(whole, early, refunds)];
        const given = amounts.reduce((sum, one) => sum + one, 0);
        expect(all.reduce((sum, { totals }) => sum + totals.gross, 0)).toBe(Math.min(given, whole.totals.gross));
        const tax = all.reduce((sum, { totals }) => sum + totals.tax, 0);
        if (given >= whole.totals.gross) expect(tax).toBe(whole.totals.tax);
        else expect(tax).toBeLessThanOrEqual(whole.totals.tax);
      }),
    );
  });
});
