import fc from 'fast-check';
import { shareOf, shareOut, sum } from './share-out';
import { faultInTotals, type TaxedLine, taxIn, totalsOf } from './totals';

const line = (gross: number, rate: number, sku = 'cup'): TaxedLine => ({ sku, quantity: 1, gross, rate });

/** Also prices far above any that can be paid, and lines that promotions have made free. */
const gross = fc.oneof(fc.constant(0), fc.nat({ max: 100 }), fc.nat({ max: 10 ** 12 }));
const rate = fc.oneof(fc.constantFrom(0, 700, 1_900, 10_000), fc.nat({ max: 10_000 }));
const lines = fc.array(
  fc.tuple(gross, rate).map(([amount, basis]) => line(amount, basis)),
  { maxLength: 30 },
);

describe('R39 totalsOf', () => {
  it('R39 takes the tax out of the gross prices, by rate', () => {
    expect(
      totalsOf([line(11_900, 1_900), line(1_070, 700, 'book-1'), line(2_380, 1_900), line(500, 0, 'gift-1')]),
    ).toEqual({
      lines: [
        { ...line(11_900, 1_900), net: 10_000, tax: 1_900 },
        { ...line(1_070, 700, 'book-1'), net: 1_000, tax: 70 },
        { ...line(2_380, 1_900), net: 2_000, tax: 380 },
        { ...line(500, 0, 'gift-1'), net: 500, tax: 0 },
      ],
      totals: {
        gross: 15_850,
        net: 13_500,
        tax: 2_350,
        rates: [
          { rate: 1_900, gross: 14_280, net: 12_000, tax: 2_280 },
          { rate: 700, gross: 1_070, net: 1_000, tax: 70 },
          { rate: 0, gross: 500, net: 500, tax: 0 },
        ],
      },
    });
  });

  it('R39 rounds once for each rate, and shares the rest out over its lines', () => {
    // Each line alone has 0.4789 of tax, which would be nothing three times.
    const { lines, totals } = totalsOf([line(3, 1_900), line(3, 1_900), line(3, 1_900)]);
    expect(totals.tax).toBe(1);
    expect(lines.map(({ tax }) => tax)).toEqual([1, 0, 0]);
  });

  it('R39 is nothing without lines', () => {
    expect(totalsOf([])).toEqual({ lines: [], totals: { gross: 0, net: 0, tax: 0, rates: [] } });
  });

  it('R39 adds up for any lines, and none is below zero', () => {
    fc.assert(
      fc.property(lines, (given) => {
        const { lines: taxed, totals } = totalsOf(given);
        expect(taxed.map(({ gross: amount }) => amount)).toEqual(given.map(({ gross: amount }) => amount));
        expect(totals.gross).toBe(sum(given.map(({ gross: amount }) => amount)));
        for (const part of ['gross', 'net', 'tax'] as const) {
          expect(sum(taxed.map((one) => one[part]))).toBe(totals[part]);
          expect(sum(totals.rates.map((one) => one[part]))).toBe(totals[part]);
        }
        for (const one of [...taxed, ...totals.rates]) {
          expect(one.net + one.tax).toBe(one.gross);
          expect(Math.min(one.net, one.tax)).toBeGreaterThanOrEqual(0);
        }
        for (const one of totals.rates) expect(one.tax).toBe(taxIn(one.gross, one.rate));
        expect(faultInTotals(taxed, totals)).toBeUndefined();
      }),
    );
  });

  it('R39 has in each line less than one minor unit more or less tax than its exact share', () => {
    fc.assert(
      fc.property(lines, (given) => {
        for (const { gross: amount, rate: basis, tax } of totalsOf(given).lines) {
          // One is that of the line, a half that of the rounding of the rate.
          expect(Math.abs(tax - (amount * basis) / (10_000 + basis))).toBeLessThan(1.5 + amount * Number.EPSILON);
        }
      }),
    );
  });
});

describe('R39 faultInTotals', () => {
  const right = () => totalsOf([line(1_000, 1_900), line(2_000, 1_900), line(1_000, 700, 'book-1')]);

  it.each<[string, (it: ReturnType<typeof right>) => void]>([
    ['line 2: net and tax', ({ lines }) => (lines[1]!.tax += 1)],
    ['not the same', ({ totals }) => totals.rates.pop()],
    ['more than once', ({ totals }) => totals.rates.push(totals.rates[0]!)],
    ['the rate 1900 do not add up', ({ totals }) => (totals.rates[0]!.gross += 1)],
    ['the rates do not add up', ({ totals }) => (totals.net -= 1)],
    [
      'not that of the rate 700',
      ({ lines, totals }) => {
        for (const one of [lines[2]!, totals.rates[1]!, totals]) {
          one.tax += 2;
          one.net -= 2;
        }
      },
    ],
  ])('R39 says %s', (words, spoil) => {
    const invoice = right();
    expect(faultInTotals(invoice.lines, invoice.totals)).toBeUndefined();
    spoil(invoice);
    expect(faultInTotals(invoice.lines, invoice.totals)).toContain(words);
  });

  it('R39 takes an invoice of which each line was rounded by itself', () => {
    const each = { ...line(3, 1_900), net: 3, tax: 0 };
    const total = { gross: 9, net: 9, tax: 0 };
    expect(faultInTotals([each, each, each], { ...total, rates: [{ rate: 1_900, ...total }] })).toBeUndefined();
  });
});

describe('R39 shareOut', () => {
  it('R39 gives whole parts that add up, none of them one away from its exact share', () => {
    const weights = fc.array(fc.nat({ max: 10 ** 12 }), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(weights, fc.double({ min: 0, max: 1, noNaN: true }), (given, share) => {
        const all = sum(given);
        const whole = Math.floor(all * share);
        const parts = shareOut(whole, given);
        expect(sum(parts)).toBe(whole);
        parts.forEach((part, index) => {
          const exact = all === 0 ? 0n : BigInt(whole) * BigInt(given[index]!);
          const difference = BigInt(part) * BigInt(all) - exact;
          expect((difference < 0n ? -difference : difference) < BigInt(Math.max(all, 1))).toBe(true);
        });
      }),
    );
  });

  it('R39 rounds half a unit up', () => {
    expect([shareOf(1, 1, 2), shareOf(1, 1, 3), shareOf(1, 2, 3), shareOf(10 ** 15, 1, 3)]).toEqual([
      1, 0, 1, 333_333_333_333_333,
    ]);
  });
});
