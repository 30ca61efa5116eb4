/** The price of an order. */
import { Problem } from '@shop/problem';
import fc from 'fast-check';
import { type Money, priceKey } from '../products/product';
import { checkPayable, priceItems } from './order';

const tenant = 'acme';
const eur = (amount: number): Money => ({ amount, currency: 'EUR' });
const prices = (entries: Record<string, Money>, owner = tenant) =>
  new Map(Object.entries(entries).map(([sku, price]) => [priceKey(owner, sku), price]));
const item = (sku: string, quantity = 1) => ({ sku, quantity });

describe('R35 priceItems', () => {
  it('takes the catalogue’s prices and adds them up', () => {
    expect(priceItems(tenant, [item('cup', 3), item('pot')], prices({ cup: eur(1_200), pot: eur(2_500) }))).toEqual({
      items: [
        { sku: 'cup', quantity: 3, unitPrice: eur(1_200) },
        { sku: 'pot', quantity: 1, unitPrice: eur(2_500) },
      ],
      total: eur(6_100),
    });
  });

  it('names every SKU that the catalogue does not have', () => {
    const problem = problemOf(() =>
      priceItems(tenant, [item('cup'), item('hat'), item('wig')], prices({ cup: eur(1) })),
    );
    expect(problem.body).toMatchObject({ status: 422, code: 'unknown_sku', skus: ['hat', 'wig'] });
  });

  it('does not know the products of another tenant', () => {
    const problem = problemOf(() => priceItems(tenant, [item('cup')], prices({ cup: eur(1) }, 'rival')));
    expect(problem.code).toBe('unknown_sku');
  });

  it('refuses prices in two currencies', () => {
    const mixed = prices({ cup: eur(1), tea: { amount: 1, currency: 'USD' } });
    expect(problemOf(() => priceItems(tenant, [item('cup'), item('tea')], mixed)).code).toBe('mixed_currencies');
  });

  it('refuses a total that a number cannot hold exactly', () => {
    const dear = prices({ gold: eur(Number.MAX_SAFE_INTEGER), cup: eur(1) });
    expect(priceItems(tenant, [item('gold')], dear).total.amount).toBe(Number.MAX_SAFE_INTEGER);
    expect(problemOf(() => priceItems(tenant, [item('gold'), item('cup')], dear)).code).toBe('total_too_large');
  });

  it('sums exactly what its lines say, for any order', () => {
    const line = fc.record({
      quantity: fc.integer({ min: 1, max: 1_000_000 }),
      price: fc.integer({ min: 0, max: 1_000_000 }),
    });
    fc.assert(
      fc.property(fc.array(line, { minLength: 1, maxLength: 100 }), (lines) => {
        const items = lines.map(({ quantity }, index) => item(`sku-${index}`, quantity));
        const catalogue = prices(Object.fromEntries(lines.map(({ price }, index) => [`sku-${index}`, eur(price)])));
        const exact = lines.reduce((sum, { quantity, price }) => sum + BigInt(quantity) * BigInt(price), 0n);
        expect(BigInt(priceItems(tenant, items, catalogue).total.amount)).toBe(exact);
      }),
    );
  });
});

describe('R35 R38 checkPayable', () => {
  it.each<[string, Money, string]>([
    ['more than the provider takes', eur(100_000_000), 'total_too_large'],
    ['less than the provider takes', eur(49), 'total_too_small'],
    ['more than it takes in its own units', { amount: 1_000_000, currency: 'ISK' }, 'total_too_large'],
    ['a currency that it does not take', { amount: 1_000, currency: 'KPW' }, 'currency_not_supported'],
    ['a part of an ariary', { amount: 150, currency: 'MGA' }, 'amount_not_payable'],
  ])('refuses %s', (_, total, code) => {
    expect(problemOf(() => checkPayable(total)).body).toMatchObject({ status: 422, code });
  });

  it.each<Money>([eur(99_999_999), { amount: 5_001, currency: 'ISK' }, { amount: 0, currency: 'KPW' }])(
    'accepts %j',
    (total) => {
      expect(() => checkPayable(total)).not.toThrow();
    },
  );
});

function problemOf(work: () => unknown): Problem {
  try {
    work();
  } catch (error) {
    if (error instanceof Problem) return error;
    throw error;
  }
  throw new Error('it was not refused');
}
