/** What promotions take off, for any lines and any promotions. */
import * as fc from 'fast-check';
import { discount, type DiscountLine } from './discount';

const line = (sku: string, quantity: number, amount: number): DiscountLine => ({
  sku,
  quantity,
  unitPrice: { amount, currency: 'EUR' },
});
const percent = (code: string, percent: number, skus?: string[]) => ({ code, kind: 'percent' as const, percent, skus });
const amount = (code: string, amount: number, skus?: string[]) => ({ code, kind: 'amount' as const, amount, skus });

describe('a discount', () => {
  it.each([
    ['no promotion', [line('a', 1, 1_000)], [], [0]],
    ['a percentage', [line('a', 2, 1_000), line('b', 1, 500)], [percent('TEN', 10)], [200, 50]],
    ['half a cent is rounded up', [line('a', 1, 333)], [percent('P', 50)], [167]],
    [
      'a cent that cannot be split goes where the remainder is largest',
      [line('a', 1, 100), line('b', 1, 200)],
      [amount('ONE', 1)],
      [0, 1],
    ],
    ['equal remainders are decided by the SKU', [line('b', 1, 100), line('a', 1, 100)], [amount('ONE', 1)], [0, 1]],
    ['three equal lines', [line('a', 1, 100), line('b', 1, 100), line('c', 1, 100)], [amount('TEN', 10)], [4, 3, 3]],
    ['only its products', [line('a', 1, 1_000), line('b', 1, 1_000)], [amount('A', 300, ['b'])], [0, 300]],
    ['no more than the lines come to', [line('a', 1, 100)], [amount('BIG', 1_000)], [100]],
    [
      'percent of the list price first, then amounts of what is left',
      [line('a', 1, 1_000)],
      [amount('A', 950), percent('B', 10)],
      [1_000],
    ],
    ['two percent ones are both of the list price', [line('a', 1, 1_000)], [percent('A', 10), percent('B', 20)], [300]],
    ['percent ones of more than the whole', [line('a', 1, 1_000)], [percent('A', 60), percent('B', 60)], [1_000]],
    ['a free line', [line('a', 3, 0), line('b', 1, 10)], [amount('A', 5)], [0, 5]],
  ])('is right: %s', (_, lines, promotions, expected) => {
    expect(discount(lines, promotions).lines).toEqual(expected);
  });

  it('tells what each promotion took off, in the order in which they were applied', () => {
    const { promotions } = discount([line('a', 1, 1_000)], [amount('A', 950), percent('C', 10), percent('B', 5)]);
    expect(promotions).toEqual([
      { code: 'B', amount: 50 },
      { code: 'C', amount: 100 },
      { code: 'A', amount: 850 },
    ]);
  });
});

const skus = ['a', 'b', 'c', 'd', 'e'];
const someLines = fc.uniqueArray(fc.constantFrom(...skus), { minLength: 1 }).chain((chosen) =>
  fc.tuple(
    ...chosen.map((sku) =>
      fc
        .record({
          quantity: fc.integer({ min: 1, max: 1_000_000 }),
          price: fc.integer({ min: 0, max: 1_000_000_000 }),
        })
        .map(({ quantity, price }) => line(sku, quantity, price)),
    ),
  ),
);
const someSkus = fc.option(fc.subarray(skus, { minLength: 1 }), { nil: undefined });
const somePromotions = fc.uniqueArray(
  fc.oneof(
    fc.record({
      code: fc.string({ minLength: 1, maxLength: 3 }),
      kind: fc.constant('percent' as const),
      percent: fc.integer({ min: 1, max: 100 }),
      skus: someSkus,
    }),
    fc.record({
      code: fc.string({ minLength: 1, maxLength: 3 }),
      kind: fc.constant('amount' as const),
      amount: fc.integer({ min: 1, max: 2_000_000_000 }),
      skus: someSkus,
    }),
  ),
  { selector: ({ code }) => code, maxLength: 4 },
);
const total = (amounts: readonly number[]) => amounts.reduce((all, one) => all + one, 0);
const fullPrice = ({ quantity, unitPrice }: DiscountLine) => quantity * unitPrice.amount;

describe('any discount', () => {
  it('adds up: the lines, the promotions and the whole are one number', () => {
    fc.assert(
      fc.property(someLines, somePromotions, (lines, promotions) => {
        const result = discount(lines, promotions);
        expect(total(result.lines)).toBe(result.amount);
        expect(total(result.promotions.map((promotion) => promotion.amount))).toBe(result.amount);
      }),
    );
  });

  it('takes a whole number off each line, never less than nothing, and never more than the line', () => {
    fc.assert(
      fc.property(someLines, somePromotions, (lines, promotions) => {
        discount(lines, promotions).lines.forEach((off, index) => {
          expect(Number.isSafeInteger(off)).toBe(true);
          expect(off).toBeGreaterThanOrEqual(0);
          expect(off).toBeLessThanOrEqual(fullPrice(lines[index]!));
        });
      }),
    );
  });

  it('touches only the products of its promotions', () => {
    fc.assert(
      fc.property(someLines, somePromotions, (lines, promotions) => {
        discount(lines, promotions).lines.forEach((off, index) => {
          const touched = promotions.some((promotion) => promotion.skus?.includes(lines[index]!.sku) ?? true);
          if (!touched) expect(off).toBe(0);
        });
      }),
    );
  });

  it('is the same for each order of the lines and of the promotions', () => {
    fc.assert(
      fc.property(someLines, somePromotions, (lines, promotions) => {
        const there = discount(lines, promotions);
        const back = discount([...lines].reverse(), [...promotions].reverse());
        expect({ ...back, lines: [...back.lines].reverse() }).toEqual(there);
      }),
    );
  });

  it('gives each line its exact share, or less than one minor unit beside it', () => {
    fc.assert(
      fc.property(someLines, fc.integer({ min: 1, max: 100 }), (lines, rate) => {
        discount(lines, [percent('P', rate)]).lines.forEach((off, index) => {
          const exact = (BigInt(fullPrice(lines[index]!)) * BigInt(rate)) / 100n;
          expect(Math.abs(Number(BigInt(off) - exact))).toBeLessThanOrEqual(1);
        });
      }),
    );
  });

  it('is the amount itself when the lines come to as much', () => {
    fc.assert(
      fc.property(someLines, fc.integer({ min: 1, max: 1_000_000_000 }), (lines, off) => {
        const result = discount(lines, [amount('A', off)]);
        expect(result.amount).toBe(Math.min(off, total(lines.map(fullPrice))));
      }),
    );
  });
});
