/** A cart as clients see it: as it is kept, and with what it comes to now. */
import { ApiProperty, ApiPropertyOptional, ApiSchema } from '@nestjs/swagger';
import type { SeenStock } from '../neighbours/answers';
import type { Away } from '@shop/service';
import { Money } from '../products/product';
import { type PromotionRefusal, promotionRefusals } from '../promotions/applying';
import { OrderItemBody } from '../orders/order.body';
import { TotalView } from '../orders/order.view';
import { type CartItem, type CartStatus, cartStatuses, codesOf } from './cart';
import type { Cart } from './cart.entity';
import type { PricedCart } from './priced-cart';

@ApiSchema({ name: 'CartItem', description: 'A line of a cart, at the price of this moment.' })
export class CartItemView implements CartItem {
  @ApiProperty({ example: 'cup' })
  sku: string;

  @ApiPropertyOptional({ description: 'absent, as the prices, for a product that is unknown', example: 'Espresso cup' })
  name?: string;

  @ApiProperty({ type: 'integer', description: 'pieces', example: 2 })
  quantity: number;

  @ApiPropertyOptional({ type: Money })
  unitPrice?: Money;

  @ApiPropertyOptional({ type: TotalView, description: 'what the promotions take off the whole line' })
  discount?: TotalView;

  @ApiPropertyOptional({ type: TotalView, description: 'of the line, without the discount' })
  total?: TotalView;

  @ApiPropertyOptional({ type: 'integer', description: 'pieces that can be ordered now; absent if it is not known' })
  available?: number;

  @ApiPropertyOptional({ type: 'integer', description: 'pieces that are missing; absent if none is' })
  short?: number;
}

@ApiSchema({ name: 'CartPromotion', description: 'A promotion that the cart shall be ordered with.' })
export class CartPromotionView {
  @ApiProperty({ example: 'SPRING-10' })
  code: string;

  @ApiProperty({ type: 'integer', description: 'what it takes off, in minor units', example: 0 })
  amount: number;

  @ApiProperty({ description: 'an order of the cart is refused while one does not apply', example: true })
  applies: boolean;

  @ApiPropertyOptional({ enum: promotionRefusals, description: 'why it does not apply' })
  reason?: PromotionRefusal;

  @ApiPropertyOptional({ description: 'the same in words' })
  detail?: string;
}

@ApiSchema({ name: 'ShortItem', description: 'A line for which there are not enough pieces now.' })
export class ShortItemView {
  @ApiProperty({ example: 'cup' })
  sku: string;

  @ApiProperty({ type: 'integer', example: 2 })
  requested: number;

  @ApiProperty({ type: 'integer', example: 1 })
  available: number;
}

export const cartParts = ['stock'] as const;
export type CartPart = (typeof cartParts)[number];

@ApiSchema({ name: 'CartSummary', description: 'A cart in a list, without prices.' })
export class CartSummaryView {
  @ApiProperty({ example: 'my-cart' })
  id: string;

  @ApiProperty({ example: 'alice' })
  customerId: string;

  @ApiProperty({ enum: cartStatuses, description: 'an ordered cart does not change any more', example: 'open' })
  status: CartStatus;

  @ApiProperty({ type: [OrderItemBody] })
  items: CartItem[];

  @ApiProperty({ type: [String], description: 'the codes of its promotions', example: ['SPRING-10'] })
  promotions: string[];

  @ApiPropertyOptional({ format: 'uuid', description: 'the order that it became' })
  orderId?: string;

  @ApiProperty({ type: 'integer', description: 'counts the changes; the ETag tells the same', example: 1 })
  version: number;
}

@ApiSchema({ name: 'Cart', description: 'A cart, and what it comes to with the prices of this moment.' })
export class CartView {
  @ApiProperty({ example: 'my-cart' })
  id: string;

  @ApiProperty({ example: 'alice' })
  customerId: string;

  @ApiProperty({ enum: cartStatuses, description: 'an ordered cart does not change any more', example: 'open' })
  status: CartStatus;

  @ApiProperty({ type: [CartItemView] })
  items: CartItemView[];

  @ApiProperty({ type: [CartPromotionView] })
  promotions: CartPromotionView[];

  @ApiPropertyOptional({
    type: TotalView,
    description:
      'the sums are absent when there is no single one: nothing has a price, or there are several currencies',
  })
  subtotal?: TotalView;

  @ApiPropertyOptional({ type: TotalView, description: 'what the promotions take off together' })
  discount?: TotalView;

  @ApiPropertyOptional({ type: TotalView, description: 'send it as expectedTotal, so that the order costs no more' })
  total?: TotalView;

  @ApiProperty({ type: [ShortItemView], description: 'lines for which there are not enough pieces now' })
  short: ShortItemView[];

  @ApiProperty({ type: [String], description: 'SKUs that are not in the catalogue any more', example: [] })
  unknown: string[];

  @ApiProperty({ enum: cartParts, isArray: true, description: 'what could not be found out now', example: [] })
  degraded: CartPart[];

  @ApiPropertyOptional({ format: 'uuid', description: 'the order that it became' })
  orderId?: string;

  @ApiProperty({ type: 'integer', description: 'counts the changes; the ETag tells the same', example: 1 })
  version: number;
}

export function cartSummaryJson(cart: Cart): CartSummaryView {
  const { id, customerId, status, items, orderId, version } = cart;
  return { id, customerId, status, items, promotions: codesOf(cart), orderId, version };
}

/** @param stock undefined when nobody was asked for it */
export function cartJson(
  { id, customerId, status, orderId, version }: Cart,
  { items, promotions, sums, unknown }: PricedCart,
  stock?: ReadonlyMap<string, SeenStock> | Away,
): CartView {
  const known = stock === 'away' ? undefined : stock;
  const shown = items.map((item) => (known ? { ...item, ...stockOf(item, known.get(item.sku)) } : item));
  return {
    id,
    customerId,
    status,
    items: shown,
    promotions: promotions.map(({ code, amount, applies, refused }) => ({
      code,
      amount,
      applies,
      reason: refused?.reason,
      detail: refused?.detail,
    })),
    ...sums,
    short: shown.flatMap((item: CartItemView) =>
      item.short === undefined ? [] : { sku: item.sku, requested: item.quantity, available: item.available ?? 0 },
    ),
    unknown,
    degraded: stock === 'away' ? ['stock'] : [],
    orderId,
    version,
  };
}

/** What may be ordered before it is there is available for an order too. What inventory does not know is not there. */
function stockOf({ quantity }: CartItem, stock?: SeenStock): Pick<CartItemView, 'available' | 'short'> {
  const available = stock?.orderable ?? stock?.available ?? 0;
  return { available, ...(available < quantity && { short: quantity - available }) };
}
