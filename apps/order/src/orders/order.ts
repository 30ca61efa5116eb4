/** An order: the request, and the decision about its price. Pure. */
import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import {
  type Capture,
  captures,
  MAX_LINES,
  MAX_QUANTITY,
  MAX_SOURCE_LENGTH,
  objectionToCharging,
  SKU,
  SOURCE,
} from '@shop/contracts';
import { Problem } from '@shop/problem';
import type { NextAction } from '@shop/saga';
import { IsText } from '@shop/validation';
import { Type } from 'class-transformer';
import {
  ArrayMaxSize,
  ArrayMinSize,
  ArrayUnique,
  IsArray,
  IsDefined,
  IsIn,
  IsInt,
  IsOptional,
  Matches,
  Max,
  Min,
  ValidateNested,
} from 'class-validator';
import { type Money, priceKey } from '../products/product';

export class OrderItemBody {
  @ApiProperty({ example: 'cup' })
  @Matches(SKU, { message: 'sku must be 1 to 64 of A-Z a-z 0-9 . _ -' })
  sku: string;

  @ApiProperty({ example: 2 })
  @IsInt()
  @Min(1)
  @Max(MAX_QUANTITY)
  quantity: number;
}

export class PaymentBody {
  @ApiProperty({ description: "the payment provider's token", example: 'tok_ok' })
  @IsText(MAX_SOURCE_LENGTH)
  @Matches(SOURCE, { message: 'source must be a token of the payment provider' })
  source: string;

  @ApiPropertyOptional({
    enum: captures,
    description: 'automatic if not given; manual: the money is only held, and is taken later over the payment service',
  })
  @IsOptional()
  @IsIn(captures)
  capture?: Capture;
}

export class OrderBody {
  @ApiProperty({ example: 'alice' })
  @IsText(100)
  customerId: string;

  @ApiProperty({ type: [OrderItemBody] })
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(MAX_LINES)
  @ArrayUnique((item: OrderItemBody) => item?.sku, { message: 'items must name each sku once' })
  @ValidateNested({ each: true })
  @Type(() => OrderItemBody)
  items: OrderItemBody[];

  @ApiProperty({ type: PaymentBody })
  @IsDefined()
  @ValidateNested()
  @Type(() => PaymentBody)
  payment: PaymentBody;
}

export const orderStatuses = ['pending', 'confirmed', 'cancelling', 'cancelled'] as const;
export type OrderStatus = (typeof orderStatuses)[number];

export interface OrderItem {
  sku: string;
  quantity: number;
  unitPrice: Money;
}

export interface Order {
  id: string;
  tenant: string;
  /** The principal that has placed it. Unknown for those of the time when this was not kept. */
  placedBy?: string;
  customerId: string;
  items: OrderItem[];
  total: Money;
  status: OrderStatus;
  /** The reason why it was cancelled or is being cancelled. */
  reason?: string;
  /** What the customer has to do before the order goes on. The link in it is for the customer alone. */
  nextAction?: NextAction;
  version: number;
  createdAt: string;
  updatedAt: string;
  sagaId: string;
  cancelSagaId?: string;
}

export const isSettled = ({ status }: Pick<Order, 'status'>): boolean =>
  status === 'confirmed' || status === 'cancelled';

/** Nothing happens to it until the customer does something, or the time for that is over. */
export const needsCustomer = ({ status, nextAction }: Pick<Order, 'status' | 'nextAction'>): boolean =>
  status === 'pending' && nextAction !== undefined;

/** Whether who asks with this key sees the order. Without a principal in it, the whole tenant is seen. */
export const isVisible = ({ placedBy }: Pick<Order, 'placedBy'>, key: { placedBy?: string }): boolean =>
  key.placedBy === undefined || key.placedBy === placedBy;

/** @throws Problem 422 `unknown_sku`, `mixed_currencies` or `total_too_large` */
export function priceItems(
  tenant: string,
  items: readonly OrderItemBody[],
  prices: ReadonlyMap<string, Money>,
): { items: OrderItem[]; total: Money } {
  const unknown = items.filter(({ sku }) => !prices.has(priceKey(tenant, sku))).map(({ sku }) => sku);
  if (unknown.length > 0) {
    throw new Problem(422, 'unknown_sku', `there is no product ${unknown.join(', ')}`, {
      extensions: { skus: unknown },
    });
  }
  const priced = items.map(({ sku, quantity }) => ({ sku, quantity, unitPrice: prices.get(priceKey(tenant, sku))! }));
  const currency = priced[0]!.unitPrice.currency;
  if (priced.some(({ unitPrice }) => unitPrice.currency !== currency)) {
    throw new Problem(422, 'mixed_currencies', 'all items of an order must have prices in one currency');
  }
  const amount = priced.reduce((sum, { quantity, unitPrice }) => sum + quantity * unitPrice.amount, 0);
  if (!Number.isSafeInteger(amount)) throw new Problem(422, 'total_too_large', 'the total of the order is too large');
  return { items: priced, total: { amount, currency } };
}

/**
 * An order that nobody can pay is not accepted. Its saga would only find that out later.
 * @throws Problem 422 `total_too_large`, `total_too_small`, `currency_not_supported` or `amount_not_payable`
 */
export function checkPayable(total: Money): void {
  const objection = objectionToCharging(total);
  if (!objection) return;
  const code = objection.code.replace(/^amount_(?=too_)/, 'total_');
  throw new Problem(422, code, `the total of the order cannot be paid: ${objection.detail}`);
}
