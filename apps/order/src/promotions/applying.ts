/** Which of the wanted promotions an order gets, what they take off, and why it does not get the others. Pure. */
import { type Discount, discount, type DiscountLine } from './discount';
import type { PromotionTerms } from './promotion';

/** `promotion_expired` is said of each that does not run at this moment. */
export const promotionRefusals = ['promotion_expired', 'promotion_used_up', 'promotion_not_applicable'] as const;
export type PromotionRefusal = (typeof promotionRefusals)[number];

export interface WantedPromotion {
  code: string;
  /** Absent when there is no such promotion any more. */
  terms?: PromotionTerms;
  /** How often this customer has used it, without the uses that were returned. */
  usedByCustomer: number;
}

export interface RefusedPromotion {
  code: string;
  reason: PromotionRefusal;
  detail: string;
}

export interface AppliedPromotions {
  discount: Discount;
  /** In order of their codes. */
  refused: RefusedPromotion[];
}

/** @param now by the clock of the database */
export function applyPromotions(
  lines: readonly DiscountLine[],
  wanted: readonly WantedPromotion[],
  now: Date,
): AppliedPromotions {
  const refused: RefusedPromotion[] = [];
  const fitting: PromotionTerms[] = [];
  for (const promotion of wanted) {
    const objection = objectionTo(promotion, lines, now);
    if (objection) refused.push({ code: promotion.code, ...objection });
    else fitting.push(promotion.terms!);
  }
  const alone = fitting.length > 1 ? fitting.filter(({ combinable }) => !combinable) : [];
  for (const { code } of alone) refused.push({ code, ...notApplicable('it does not go together with others') });
  const together = fitting.filter((terms) => !alone.includes(terms));
  const result = discount(lines, together);
  // Those before it have left nothing. Its use would be lost for nothing.
  const idle = result.promotions.filter(({ amount }) => amount === 0);
  for (const { code } of idle) refused.push({ code, ...notApplicable('it takes nothing off') });
  const promotions = result.promotions.filter(({ amount }) => amount > 0);
  return {
    discount: { ...result, promotions },
    refused: refused.sort((one, other) => (one.code < other.code ? -1 : 1)),
  };
}

type Objection = Omit<RefusedPromotion, 'code'>;

const notApplicable = (detail: string): Objection => ({ reason: 'promotion_not_applicable', detail });
const expired = (detail: string): Objection => ({ reason: 'promotion_expired', detail });
const usedUp = (detail: string): Objection => ({ reason: 'promotion_used_up', detail });

/** Why it does not apply, looked at alone. */
function objectionTo(
  { terms, usedByCustomer }: WantedPromotion,
  lines: readonly DiscountLine[],
  now: Date,
): Objection | undefined {
  if (!terms) return expired('there is no such promotion any more');
  const { currency, endsAt, maxUses, maxUsesPerCustomer, minimum, skus, startsAt, used } = terms;
  if (endsAt && now >= endsAt) return expired('it is over');
  if (startsAt && now < startsAt) return expired('it has not begun');
  if (maxUses !== undefined && used >= maxUses) return usedUp('it was used as often as it can be');
  if (maxUsesPerCustomer !== undefined && usedByCustomer >= maxUsesPerCustomer) {
    return usedUp('this customer has used it as often as one customer can');
  }
  if (currency !== undefined && lines.some(({ unitPrice }) => unitPrice.currency !== currency)) {
    return notApplicable(`it is only for prices in ${currency}`);
  }
  if (skus && !lines.some(({ sku }) => skus.includes(sku))) return notApplicable('it is for other products');
  const subtotal = lines.reduce((total, { quantity, unitPrice }) => total + quantity * unitPrice.amount, 0);
  if (minimum !== undefined && subtotal < minimum) return notApplicable(`the order has to come to ${minimum}`);
  return undefined;
}
