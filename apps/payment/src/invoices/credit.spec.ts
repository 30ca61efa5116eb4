import fc from 'fast-check';
import { creditOf, leftOf } from './credit';
import { sum } from './share-out';
import { type TaxOfRate, totalsOf } from './totals';

const rates = fc
  .array(fc.tuple(fc.nat({ max: 10 ** 9 }), fc.constantFrom(0, 700, 1_900, 10_000)), { minLength: 1, maxLength: 8 })
  .map((lines) => totalsOf(lines.map(([gross, rate]) => ({ sku: 'cup', quantity: 1, gross, rate }))).totals);
/** Shares of what is left. */
const shares = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 8 });

const invoice: TaxOfRate[] = [
  { rate: 1_900, gross: 11_900, net: 10_000, tax: 1_900 },
  { rate: 700, gross: 1_070, net: 1_000, tax: 70 },
];

describe('R39 creditOf', () => {
  it('R39 shares a refund out over the rates', () => {
    expect(creditOf(invoice, [], 1_297)).toEqual({
      gross: 1_297,
      net: 1_100,
      tax: 197,
      rates: [
        { rate: 1_900, gross: 1_190, net: 1_000, tax: 190 },
        { rate: 700, gross: 107, net: 100, tax: 7 },
      ],
    });
  });

  it('R39 is the whole invoice for a whole refund', () => {
    expect(creditOf(invoice, [], 12_970)?.rates).toEqual(invoice);
  });

  it('R39 is nothing when nothing is left, or nothing was given back', () => {
    expect(creditOf(invoice, [invoice], 1)).toBeUndefined();
    expect(creditOf(invoice, [], 0)).toBeUndefined();
    expect(creditOf([], [], 100)).toBeUndefined();
  });

  it('R39 does not credit more than is left', () => {
    const first = creditOf(invoice, [], 12_000)!;
    expect(creditOf(invoice, [first.rates], 5_000)).toMatchObject({ gross: 970 });
  });

  it('R39 never takes more than the invoice, in no rate and in no sum, and at last exactly all of it', () => {
    fc.assert(
      fc.property(rates, shares, (totals, parts) => {
        const notes: TaxOfRate[][] = [];
        for (const share of [...parts, 1]) {
          const left = leftOf(totals.rates, notes);
          const refund = Math.ceil(sum(left.map(({ gross }) => gross)) * share);
          const credit = creditOf(totals.rates, notes, refund);
          expect(credit?.gross ?? 0).toBe(refund);
          for (const part of credit?.rates ?? []) {
            expect(part.net + part.tax).toBe(part.gross);
            expect(Math.min(part.net, part.tax)).toBeGreaterThanOrEqual(0);
            const whole = left.find(({ rate }) => rate === part.rate)!;
            expect([whole.gross - part.gross, whole.net - part.net, whole.tax - part.tax].every((n) => n >= 0)).toBe(
              true,
            );
          }
          if (credit) notes.push(credit.rates);
        }
        const over = leftOf(totals.rates, notes).map(({ gross, net, tax }) => [gross, net, tax]);
        expect(over).toEqual(totals.rates.map(() => [0, 0, 0]));
      }),
    );
  });
});
