/** Which of the wanted promotions an order gets, and why not the others. */
import { applyPromotions, type WantedPromotion } from './applying';
import type { PromotionTerms } from './promotion';

const now = new Date('2026-03-01T12:00:00Z');
const at = (seconds: number) => new Date(now.getTime() + seconds * 1_000);
const eur = (amount: number) => ({ amount, currency: 'EUR' });
/** 2,400 in all. */
const lines = [{ sku: 'cup', quantity: 2, unitPrice: eur(1_200) }];

function wanted(code: string, changed: Partial<PromotionTerms> = {}, usedByCustomer = 0): WantedPromotion {
  return { code, usedByCustomer, terms: { code, kind: 'percent', percent: 10, combinable: true, used: 0, ...changed } };
}
const apply = (...promotions: WantedPromotion[]) => applyPromotions(lines, promotions, now);
const reasonsOf = ({ refused }: ReturnType<typeof apply>) => refused.map(({ code, reason }) => `${code} ${reason}`);

describe('a promotion', () => {
  it.each<[string, Partial<PromotionTerms>, string | undefined]>([
    ['without limits', {}, undefined],
    ['at its first moment', { startsAt: now }, undefined],
    ['before its first moment', { startsAt: at(1) }, 'promotion_expired'],
    ['before its end', { endsAt: at(1) }, undefined],
    ['at its end', { endsAt: now }, 'promotion_expired'],
    ['with one use left', { maxUses: 3, used: 2 }, undefined],
    ['without a use left', { maxUses: 3, used: 3 }, 'promotion_used_up'],
    ['with more uses than there are now', { maxUses: 3, used: 4 }, 'promotion_used_up'],
    ['for this product', { skus: ['pot', 'cup'] }, undefined],
    ['for another product', { skus: ['pot'] }, 'promotion_not_applicable'],
    ['for as much as this', { minimum: 2_400, currency: 'EUR' }, undefined],
    ['for more than this', { minimum: 2_401, currency: 'EUR' }, 'promotion_not_applicable'],
    [
      'in another currency',
      { kind: 'amount', percent: undefined, amount: 5, currency: 'USD' },
      'promotion_not_applicable',
    ],
  ])('%s: refused as %s', (_, changed, reason) => {
    const result = apply(wanted('A', changed));
    expect(reasonsOf(result)).toEqual(reason ? [`A ${reason}`] : []);
    expect(result.discount.amount > 0).toBe(reason === undefined);
  });

  it('is used up for a customer who has had it as often as one may', () => {
    expect(reasonsOf(apply(wanted('A', { maxUsesPerCustomer: 2 }, 1)))).toEqual([]);
    expect(reasonsOf(apply(wanted('A', { maxUsesPerCustomer: 2 }, 2)))).toEqual(['A promotion_used_up']);
  });

  it('is over when it is not there any more', () => {
    expect(reasonsOf(apply({ code: 'A', usedByCustomer: 0 }))).toEqual(['A promotion_expired']);
  });

  it('is not used for nothing', () => {
    const result = apply(
      wanted('ALL', { percent: 100 }),
      wanted('MORE', { kind: 'amount', percent: undefined, amount: 5, currency: 'EUR' }),
    );
    expect(reasonsOf(result)).toEqual(['MORE promotion_not_applicable']);
    expect(result.discount.promotions).toEqual([{ code: 'ALL', amount: 2_400 }]);
  });
});

describe('several promotions', () => {
  it('go together when each says so', () => {
    expect(apply(wanted('A'), wanted('B')).discount).toMatchObject({ amount: 480, lines: [480] });
  });

  it('leave out those that stand alone, and one that stands alone applies alone', () => {
    const alone = wanted('A', { combinable: false });
    expect(reasonsOf(apply(wanted('B'), alone))).toEqual(['A promotion_not_applicable']);
    expect(reasonsOf(apply(alone, wanted('C', { combinable: false })))).toHaveLength(2);
    expect(reasonsOf(apply(alone))).toEqual([]);
  });

  it('are refused one by one, and one that is refused anyway keeps no other out', () => {
    const over = wanted('OVER', { combinable: false, endsAt: now });
    const result = apply(over, wanted('A', { combinable: false }));
    expect(reasonsOf(result)).toEqual(['OVER promotion_expired']);
    expect(result.discount.promotions).toEqual([{ code: 'A', amount: 240 }]);
  });
});
