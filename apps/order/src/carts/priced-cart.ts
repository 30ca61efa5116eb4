/** What a cart comes to with the prices of this moment. Pure. */
import { applyPromotions, type RefusedPromotion, type WantedPromotion } from '../promotions/applying';
import type { DiscountLine } from '../promotions/discount';
import type { Money } from '../products/product';
import type { CartItem } from './cart';

export interface KnownProduct {
  sku: string;
  name: string;
  unitPrice: Money;
}

export interface PricedItem extends CartItem {
  /** What follows is absent for a product that is not in the catalogue any more. */
  name?: string;
  unitPrice?: Money;
  discount?: Money;
  total?: Money;
}

export interface PricedPromotion {
  code: string;
  applies: boolean;
  /** What it takes off. */
  amount: number;
  refused?: RefusedPromotion;
}

export interface PricedCart {
  items: PricedItem[];
  promotions: PricedPromotion[];
  /** Absent when there is no one sum: no line has a price, or they have several currencies, or it is too large. */
  sums?: { subtotal: Money; discount: Money; total: Money };
  /** SKUs that are not in the catalogue. */
  unknown: string[];
}

export interface CartToPrice {
  items: readonly CartItem[];
  /** In order of their codes. */
  wanted: readonly WantedPromotion[];
  products: ReadonlyMap<string, KnownProduct>;
  now: Date;
}

/** A product that is not known has no price and counts for nothing. */
export function priceCart({ items, wanted, products, now }: CartToPrice): PricedCart {
  const lines = linesOf(items, products);
  const unknown = items.filter(({ sku }) => !products.has(sku)).map(({ sku }) => sku);
  const subtotal = subtotalOf(lines);
  // Without one sum, no promotion means anything.
  const applied = applyPromotions(subtotal ? lines : [], wanted, now);
  const off = new Map(lines.map(({ sku }, index) => [sku, applied.discount.lines[index] ?? 0]));
  const promotions = wanted.map(({ code }) => {
    const taken = applied.discount.promotions.find((promotion) => promotion.code === code);
    const refused = applied.refused.find((promotion) => promotion.code === code);
    return { code, applies: taken !== undefined, amount: taken?.amount ?? 0, ...(refused && { refused }) };
  });
  return {
    items: items.map((item) => pricedItem(item, products.get(item.sku), off.get(item.sku) ?? 0)),
    promotions,
    ...(subtotal && { sums: sumsOf(subtotal, applied.discount.amount) }),
    unknown,
  };
}

/** Why the cart, which has all that is wanted, must not have this one of them: it does not apply, or ends another one. */
export function objectionToAdding(
  code: string,
  { items, wanted, products, now }: CartToPrice,
): RefusedPromotion | undefined {
  const all = linesOf(items, products);
  const lines = subtotalOf(all) ? all : [];
  const refusedOf = (promotions: readonly WantedPromotion[]) => applyPromotions(lines, promotions, now).refused;
  const refused = refusedOf(wanted);
  const own = refused.find((promotion) => promotion.code === code);
  if (own) return own;
  const before = refusedOf(wanted.filter((promotion) => promotion.code !== code)).map((promotion) => promotion.code);
  const ended = refused.find((promotion) => !before.includes(promotion.code));
  return (
    ended && { code, reason: 'promotion_not_applicable', detail: `beside it, ${ended.code} ends: ${ended.detail}` }
  );
}

function linesOf(items: readonly CartItem[], products: ReadonlyMap<string, KnownProduct>): DiscountLine[] {
  return items.flatMap(({ sku, quantity }) => {
    const product = products.get(sku);
    return product ? { sku, quantity, unitPrice: product.unitPrice } : [];
  });
}

function pricedItem({ sku, quantity }: CartItem, product: KnownProduct | undefined, off: number): PricedItem {
  if (!product) return { sku, quantity };
  const { name, unitPrice } = product;
  const { currency } = unitPrice;
  const total = quantity * unitPrice.amount - off;
  return {
    sku,
    name,
    quantity,
    unitPrice,
    discount: { amount: off, currency },
    total: { amount: total, currency },
  };
}

function subtotalOf(lines: readonly DiscountLine[]): Money | undefined {
  const currency = lines[0]?.unitPrice.currency;
  if (currency === undefined || lines.some(({ unitPrice }) => unitPrice.currency !== currency)) return undefined;
  const amount = lines.reduce((sum, { quantity, unitPrice }) => sum + quantity * unitPrice.amount, 0);
  return Number.isSafeInteger(amount) ? { amount, currency } : undefined;
}

const sumsOf = (subtotal: Money, off: number): Required<PricedCart>['sums'] => ({
  subtotal,
  discount: { ...subtotal, amount: off },
  total: { ...subtotal, amount: subtotal.amount - off },
});
