/** What an order is made of: its items at their prices, and what the promotions of its cart take off. Pure. */
import { type Caller, isVisible, reachOf } from '@shop/http';
import { alreadySubmitted } from '@shop/idempotency';
import { Problem } from '@shop/problem';
import type { LockedCart } from '../../carts/carts.repository';
import type { Money } from '../../products/product';
import { applyPromotions, type WantedPromotion } from '../../promotions/applying';
import type { Discount } from '../../promotions/discount';
import { checkPayable, type Order, type OrderItem, priceItems } from '../order';
import type { OrderBody } from '../order.body';

export type OrderContent = Pick<
  Order,
  'customerId' | 'items' | 'total' | 'discountAmount' | 'promotions' | 'cartId' | 'reservationId'
>;

export interface ContentOptions {
  tenant: string;
  body: OrderBody;
  /** The cart of the body, with its promotions. */
  cart?: LockedCart;
  wanted: readonly WantedPromotion[];
  /** By `priceKey`. */
  prices: ReadonlyMap<string, Money>;
  now: Date;
}

/**
 * @throws Problem 409 `promotion_expired`, `promotion_used_up`, `promotion_not_applicable` or `price_changed`, and those
 * of `priceItems` and `checkPayable`
 */
export function contentOf({ tenant, body, cart, wanted, prices, now }: ContentOptions): OrderContent {
  // The check of the body lets no third way through.
  const { customerId, items: ordered } = cart ?? { customerId: body.customerId!, items: body.items! };
  const priced = priceItems(tenant, ordered, prices);
  const sums = wanted.length > 0 ? withDiscount(priced, discountOf(priced.items, wanted, now)) : priced;
  checkExpected(sums.total, body.expectedTotal);
  checkPayable(sums.total);
  return { customerId, ...sums, cartId: cart?.id, reservationId: body.reservationId ?? undefined };
}

/**
 * The cart, if the caller may order it.
 * @throws Problem 404 `cart_not_found`, 409 `already_submitted` or 422 `cart_empty`
 */
export function orderableCart(cart: LockedCart | undefined, caller: Caller): LockedCart {
  if (!cart || !isVisible(cart, reachOf(caller)))
    throw new Problem(404, 'cart_not_found', 'there is no cart with this id');
  if (cart.orderId !== undefined) {
    throw alreadySubmitted(
      `/orders/${cart.orderId}`,
      'this cart was ordered before; the status URL tells of its order',
    );
  }
  if (cart.items.length === 0) throw new Problem(422, 'cart_empty', 'there is nothing in this cart');
  return cart;
}

/** The buyer has seen every promotion of the cart. One that does not apply now would change the price unseen. */
function discountOf(items: readonly OrderItem[], wanted: readonly WantedPromotion[], now: Date): Discount {
  const { discount, refused } = applyPromotions(items, wanted, now);
  const [first] = refused;
  if (!first) return discount;
  const promotions = refused.map(({ code, reason }) => ({ code, reason }));
  throw new Problem(409, first.reason, `the promotion ${first.code} cannot be had: ${first.detail}`, {
    extensions: { promotions },
  });
}

function withDiscount(
  { items, total }: { items: OrderItem[]; total: Money },
  { amount, lines, promotions }: Discount,
): Pick<OrderContent, 'items' | 'total' | 'discountAmount' | 'promotions'> {
  const { currency } = total;
  return {
    items: items.map((item, index) =>
      lines[index]! > 0 ? { ...item, discount: { amount: lines[index]!, currency } } : item,
    ),
    total: { amount: total.amount - amount, currency },
    discountAmount: amount,
    promotions,
  };
}

function checkExpected(total: Money, expected?: Money | null): void {
  if (!expected || (expected.amount === total.amount && expected.currency === total.currency)) return;
  throw new Problem(409, 'price_changed', 'the order comes to something else now', { extensions: { total } });
}
