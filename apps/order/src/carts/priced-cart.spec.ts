/** What a cart comes to, and which promotions it may have. */
import type { PromotionTerms } from '../promotions/promotion';
import { type CartToPrice, objectionToAdding, priceCart } from './priced-cart';

const eur = (amount: number) => ({ amount, currency: 'EUR' });
const products = new Map(
  [
    { sku: 'cup', name: 'Cup', unitPrice: eur(1_000) },
    { sku: 'pot', name: 'Pot', unitPrice: eur(5_000) },
    { sku: 'bowl', name: 'Bowl', unitPrice: { amount: 900, currency: 'USD' } },
    { sku: 'crown', name: 'Crown', unitPrice: eur(1_000_000_000) },
    { sku: 'orb', name: 'Orb', unitPrice: eur(1_000_000_000) },
  ].map((product) => [product.sku, product]),
);
const now = new Date('2026-03-01T12:00:00Z');
const wanted = (code: string, terms: Partial<PromotionTerms> = {}, usedByCustomer = 0) => ({
  code,
  usedByCustomer,
  terms: { code, kind: 'percent' as const, percent: 10, combinable: true, used: 0, ...terms },
});
const cartOf = (items: Record<string, number>, ...promotions: CartToPrice['wanted']): CartToPrice => ({
  items: Object.entries(items).map(([sku, quantity]) => ({ sku, quantity })),
  wanted: promotions,
  products,
  now,
});

describe('a cart', () => {
  it('comes to its lines without what the promotions take off', () => {
    expect(priceCart(cartOf({ cup: 2, pot: 1 }, wanted('TEN', { skus: ['cup'] })))).toEqual({
      items: [
        { sku: 'cup', name: 'Cup', quantity: 2, unitPrice: eur(1_000), discount: eur(200), total: eur(1_800) },
        { sku: 'pot', name: 'Pot', quantity: 1, unitPrice: eur(5_000), discount: eur(0), total: eur(5_000) },
      ],
      promotions: [{ code: 'TEN', applies: true, amount: 200 }],
      sums: { subtotal: eur(7_000), discount: eur(200), total: eur(6_800) },
      unknown: [],
    });
  });

  it('shows a product that is gone without a price, and counts the others', () => {
    const { items, sums, unknown } = priceCart(cartOf({ gone: 3, cup: 1 }));
    expect(items[0]).toEqual({ sku: 'gone', quantity: 3 });
    expect([sums?.total, unknown]).toEqual([eur(1_000), ['gone']]);
  });

  it.each([
    ['nothing in it', {}],
    ['nothing with a price in it', { gone: 1 }],
    ['several currencies', { cup: 1, bowl: 1 }],
    ['a sum that JSON does not hold exactly', { crown: 9_000_000, orb: 9_000_000 }],
  ])('has no sums and no discount with %s', (_, items) => {
    const { sums, promotions } = priceCart(cartOf(items, wanted('TEN')));
    expect(sums).toBeUndefined();
    expect(promotions).toMatchObject([
      { code: 'TEN', applies: false, amount: 0, refused: { reason: 'promotion_not_applicable' } },
    ]);
  });

  it('tells of each promotion that does not apply why, and is shown all the same', () => {
    const ended = wanted('ENDED', { endsAt: now });
    const gone = { code: 'GONE', usedByCustomer: 0 };
    const used = wanted('USED', { maxUses: 1, used: 1 });
    const { promotions, sums } = priceCart(cartOf({ cup: 1 }, ended, gone, wanted('TEN'), used));
    expect(promotions.map(({ code, refused }) => [code, refused?.reason])).toEqual([
      ['ENDED', 'promotion_expired'],
      ['GONE', 'promotion_expired'],
      ['TEN', undefined],
      ['USED', 'promotion_used_up'],
    ]);
    expect(sums?.total).toEqual(eur(900));
  });
});

describe('a promotion', () => {
  const objection = (cart: CartToPrice, code = 'NEW') => objectionToAdding(code, cart)?.reason;

  it('may be added where it applies', () => {
    expect(objection(cartOf({ cup: 1 }, wanted('NEW')))).toBeUndefined();
    expect(objection(cartOf({ cup: 1 }, wanted('NEW'), wanted('OLD')))).toBeUndefined();
  });

  it.each<[string, string, Partial<PromotionTerms>, number]>([
    ['that is over', 'promotion_expired', { endsAt: now }, 0],
    ['that has not begun', 'promotion_expired', { startsAt: new Date(now.getTime() + 1) }, 0],
    ['that was used as often as it can be', 'promotion_used_up', { maxUses: 3, used: 3 }, 0],
    ['that its customer has used', 'promotion_used_up', { maxUsesPerCustomer: 1, used: 1 }, 1],
    ['with a minimum that is not reached', 'promotion_not_applicable', { minimum: 1_001, currency: 'EUR' }, 0],
    ['for other products', 'promotion_not_applicable', { skus: ['pot'] }, 0],
    ['in another currency', 'promotion_not_applicable', { minimum: 1, currency: 'USD' }, 0],
  ])('%s may not be added: %s', (_, reason, terms, usedByCustomer) => {
    expect(objection(cartOf({ cup: 1 }, wanted('NEW', terms, usedByCustomer)))).toBe(reason);
  });

  it('that goes with no other neither joins one nor is joined', () => {
    const alone = { combinable: false };
    expect(objection(cartOf({ cup: 1 }, wanted('NEW', alone), wanted('OLD')))).toBe('promotion_not_applicable');
    expect(objection(cartOf({ cup: 1 }, wanted('NEW'), wanted('OLD', alone)))).toBe('promotion_not_applicable');
  });

  it('is not held up by one that did not apply before', () => {
    expect(objection(cartOf({ cup: 1 }, wanted('NEW'), wanted('OLD', { endsAt: now })))).toBeUndefined();
  });

  it('may not leave nothing for one that is there', () => {
    const old = wanted('OLD', { kind: 'amount', amount: 100, currency: 'EUR', percent: undefined });
    const { detail } = objectionToAdding('NEW', cartOf({ cup: 1 }, wanted('NEW', { percent: 100 }), old))!;
    expect(detail).toMatch(/OLD ends/);
  });
});
