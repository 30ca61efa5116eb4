/** The order as clients see it. */
import { ApiProperty, ApiPropertyOptional, ApiSchema } from '@nestjs/swagger';
import { etagOf } from '@shop/http';
import { type Answer, answerWith } from '@shop/idempotency';
import { Money } from '../products/product';
import type { NextAction } from '@shop/saga';
import { needsCustomer, type Order, type OrderItem, type OrderStatus, orderStatuses } from './order';

@ApiSchema({ name: 'OrderItem', description: 'A line of an order, at the price of its moment.' })
export class OrderItemView implements OrderItem {
  @ApiProperty({ example: 'cup' })
  sku: string;

  @ApiProperty({ type: 'integer', description: 'pieces', example: 2 })
  quantity: number;

  @ApiProperty({ type: Money })
  unitPrice: Money;
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
export class OrderView implements Omit<Order, 'tenant' | 'placedBy' | 'version' | 'sagaId'> {
  @ApiProperty({ format: 'uuid', example: '01a20621-a6cd-74b9-a1c3-459d717a98c4' })
  id: string;

  @ApiProperty({ example: 'alice' })
  customerId: string;

  @ApiProperty({ type: [OrderItemView] })
  items: OrderItemView[];

  @ApiProperty({ type: TotalView })
  total: TotalView;

  @ApiProperty({ enum: orderStatuses, description: 'confirmed and cancelled are ends', example: 'pending' })
  status: OrderStatus;

  @ApiPropertyOptional({
    description: 'why it was or is being cancelled: a stable code such as out_of_stock',
  })
  reason?: string;

  @ApiPropertyOptional({ type: NextActionView, description: 'present while the order waits for its customer' })
  nextAction?: NextActionView;

  @ApiProperty({ format: 'date-time', example: '2026-03-01T12:00:00.000Z' })
  createdAt: string;

  @ApiProperty({ format: 'date-time', example: '2026-03-01T12:00:00.000Z' })
  updatedAt: string;
}

export function orderJson(order: Order): OrderView {
  const { id, customerId, items, total, status, reason, createdAt, updatedAt } = order;
  // An earlier release may have moved the order on and left the action behind.
  const nextAction = needsCustomer(order) ? order.nextAction : undefined;
  return { id, customerId, items, total, status, reason, nextAction, createdAt, updatedAt };
}

export function createdAnswer(order: Order): Answer {
  return answerWith(201, orderJson(order), { location: `/orders/${order.id}`, etag: etagOf(order.version) });
}
