/** The order as clients see it. */
import { ApiProperty, ApiPropertyOptional, ApiSchema } from '@nestjs/swagger';
import { type Caller, etagOf } from '@shop/http';
import { type Answer, answerWith } from '@shop/idempotency';
import { Money } from '../products/product';
import type { NextAction } from '@shop/saga';
import {
  needsCustomer,
  type Order,
  type OrderItem,
  type OrderPromotion,
  type OrderStatus,
  orderStatuses,
} from './order';

/** For the documentation. */
const off = { amount: 400, currency: 'EUR' };

@ApiSchema({ name: 'OrderItem', description: 'A line of an order, at the price of its moment.' })
export class OrderItemView implements OrderItem {
  @ApiProperty({ example: 'cup' })
  sku: string;

  @ApiProperty({ type: 'integer', description: 'pieces', example: 2 })
  quantity: number;

  @ApiProperty({ type: Money })
  unitPrice: Money;

  @ApiPropertyOptional({ type: Money, description: 'what promotions take off the whole line', example: off })
  discount?: Money;
}

@ApiSchema({ name: 'OrderPromotion', description: 'A promotion of an order.' })
export class OrderPromotionView implements OrderPromotion {
  @ApiProperty({ example: 'SPRING-10' })
  code: string;

  @ApiProperty({
    type: 'integer',
    description: 'what it takes off, in minor units of the currency of the total',
    example: 400,
  })
  amount: number;
}

/** A sum may be larger than any price. */
@ApiSchema({ name: 'Total', description: 'The sum of an order.' })
export class TotalView implements Money {
  @ApiProperty({ type: 'integer', description: 'minor units, such as cents', example: 3998 })
  amount: number;

  @ApiProperty({ description: 'ISO 4217', example: 'EUR' })
  currency: string;
}

@ApiSchema({ name: 'NextAction', description: 'What the customer has to do before the order goes on.' })
export class NextActionView implements NextAction {
  @ApiProperty({ enum: ['redirect'], description: 'send the customer to the address', example: 'redirect' })
  type: 'redirect';

  @ApiProperty({ format: 'uri', description: 'for the customer alone', example: 'https://bank.example/confirm/7f3a' })
  url: string;

  @ApiProperty({
    format: 'date-time',
    description: 'the order is cancelled if nothing has happened by then',
    example: '2026-03-01T12:15:00.000Z',
  })
  expiresAt: string;
}

@ApiSchema({ name: 'Order', description: 'An order, and what has become of it.' })
export class OrderView implements Omit<Order, 'tenant' | 'version' | 'sagaId' | 'discountAmount'> {
  @ApiProperty({ format: 'uuid', example: '01a20621-a6cd-74b9-a1c3-459d717a98c4' })
  id: string;

  @ApiProperty({ example: 'alice' })
  customerId: string;

  @ApiProperty({ type: [OrderItemView] })
  items: OrderItemView[];

  @ApiPropertyOptional({
    type: TotalView,
    description: 'the sum of the lines at their prices, when there is a discount',
  })
  subtotal?: TotalView;

  @ApiPropertyOptional({ type: TotalView, description: 'what the promotions take off together', example: off })
  discount?: TotalView;

  @ApiPropertyOptional({ type: [OrderPromotionView], description: 'in the order in which they were applied' })
  promotions?: OrderPromotionView[];

  @ApiProperty({ type: TotalView })
  total: TotalView;

  @ApiProperty({ enum: orderStatuses, description: 'confirmed and cancelled are ends', example: 'pending' })
  status: OrderStatus;

  @ApiPropertyOptional({ description: 'the cart that it was', example: 'my-cart' })
  cartId?: string;

  @ApiPropertyOptional({
    format: 'uuid',
    description: 'the reservation that it takes over',
    example: '5d2a3c1e-7f0b-4c55-9d3e-0a1b2c3d4e5f',
  })
  reservationId?: string;

  @ApiPropertyOptional({
    description:
      'why it was or is being cancelled: a stable code such as out_of_stock, limit_reached (pieces per customer), ' +
      'reservation_expired, reservation_used or reservation_mismatch',
  })
  reason?: string;

  @ApiPropertyOptional({
    description:
      'why a wish to cancel it, after it was confirmed, was not carried out: already_shipped. It is not tried again',
    example: 'already_shipped',
  })
  cancellationRefused?: string;

  @ApiPropertyOptional({ type: NextActionView, description: 'present while the order waits for its customer' })
  nextAction?: NextActionView;

  @ApiProperty({ format: 'date-time', example: '2026-03-01T12:00:00.000Z' })
  createdAt: string;

  @ApiProperty({ format: 'date-time', example: '2026-03-01T12:00:00.000Z' })
  updatedAt: string;

  @ApiPropertyOptional({
    format: 'date-time',
    description: 'missing for one that never was confirmed, and for some time for those of earlier releases',
    example: '2026-03-01T12:00:01.000Z',
  })
  confirmedAt?: string;

  @ApiPropertyOptional({
    format: 'date-time',
    description: 'when this service heard that the customer has it',
    example: '2026-03-03T09:30:00.000Z',
  })
  deliveredAt?: string;

  @ApiPropertyOptional({ description: 'the principal that has placed it; for operators only', example: 'alice' })
  placedBy?: string;
}

export function orderJson(order: Order): OrderView {
  const { id, customerId, items, promotions, total, cartId, reservationId, status, reason, cancellationRefused } =
    order;
  // An earlier release may have moved the order on and left the action behind.
  const nextAction = needsCustomer(order) ? order.nextAction : undefined;
  const { createdAt, updatedAt, confirmedAt, deliveredAt } = order;
  return {
    id,
    customerId,
    items: order.discountAmount === undefined ? items : items.map(discounted),
    ...sumsOf(order),
    promotions,
    total,
    cartId,
    reservationId,
    status,
    reason,
    cancellationRefused,
    nextAction,
    createdAt,
    updatedAt,
    confirmedAt,
    deliveredAt,
  };
}

/** The same, as this caller may see it. */
export function orderJsonFor({ roles }: Pick<Caller, 'roles'>, order: Order): OrderView {
  return roles.includes('operator') ? { ...orderJson(order), placedBy: order.placedBy } : orderJson(order);
}

/** The database keeps the members of a line in another order than the answer to the request has them. */
const discounted = ({ sku, quantity, unitPrice, discount }: OrderItem): OrderItem => ({
  sku,
  quantity,
  unitPrice,
  discount,
});

function sumsOf({ total: { amount, currency }, discountAmount }: Order): Pick<OrderView, 'subtotal' | 'discount'> {
  if (discountAmount === undefined) return {};
  return {
    subtotal: { amount: amount + discountAmount, currency },
    discount: { amount: discountAmount, currency },
  };
}

export function createdAnswer(order: Order): Answer {
  return answerWith(201, orderJson(order), { location: `/orders/${order.id}`, etag: etagOf(order.version) });
}
