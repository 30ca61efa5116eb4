/** A cart: what its requests say, and who may do what with it. */
import { ApiParam, ApiProperty } from '@nestjs/swagger';
import { MAX_LINES } from '@shop/contracts';
import { type Caller, reachOf } from '@shop/http';
import { alreadySubmitted } from '@shop/idempotency';
import { Problem } from '@shop/problem';
import { IsText } from '@shop/validation';
import { Type } from 'class-transformer';
import { ArrayMaxSize, ArrayUnique, IsArray, ValidateNested } from 'class-validator';
import { CART_ID } from './cart-id';
import { OrderItemBody } from '../orders/order.body';

/** Each is looked at whenever the cart is shown, and locked when it is ordered. */
export const MAX_PROMOTIONS = 10;

export const cartStatuses = ['open', 'ordered'] as const;
export type CartStatus = (typeof cartStatuses)[number];

export interface CartItem {
  sku: string;
  quantity: number;
}

export interface CartKey {
  tenant: string;
  id: string;
}

/** A cart as a caller asks for it. */
export interface CartOfCaller extends CartKey {
  /** Who makes it, if there is none yet. */
  principal: string;
  /** When only a cart of this principal is meant. */
  placedBy?: string;
}

export class CartBody {
  @ApiProperty({ description: 'stays the same as long as the cart exists', example: 'alice' })
  @IsText(100)
  customerId: string;

  @ApiProperty({ type: [OrderItemBody], description: 'may be empty' })
  @IsArray()
  @ArrayMaxSize(MAX_LINES)
  @ArrayUnique((item: OrderItemBody) => item?.sku, { message: 'items must name each sku once' })
  @ValidateNested({ each: true })
  @Type(() => OrderItemBody)
  items: OrderItemBody[];
}

export const ApiCartId = (): MethodDecorator =>
  ApiParam({ name: 'id', description: '1 to 64 of A-Z a-z 0-9 _ -, chosen by the client', example: 'my-cart' });

/** Undefined for an id that no cart can have. */
export function cartOfCaller(caller: Caller, id: string): CartOfCaller | undefined {
  return CART_ID.test(id) ? { ...reachOf(caller), principal: caller.principal, id } : undefined;
}

/** The codes of its promotions, in order. */
export function codesOf({ promotions }: { promotions: readonly { code: string }[] }): string[] {
  return promotions.map(({ code }) => code).sort();
}

export const cartNotFound = (): Problem => new Problem(404, 'cart_not_found', 'there is no cart with this id');

/** @throws Problem 409 `already_submitted` for a cart that is an order now, with the place of the order */
export function refuseOrdered({ orderId }: { orderId?: string }): void {
  if (orderId === undefined) return;
  throw alreadySubmitted(`/orders/${orderId}`, 'this cart was ordered before; the status URL tells of its order');
}

/** @throws Problem 409 `cart_of_another_customer` */
export function refuseOtherCustomer(cart: { customerId: string }, { customerId }: { customerId: string }): void {
  if (cart.customerId === customerId) return;
  throw new Problem(
    409,
    'cart_of_another_customer',
    'a cart stays that of its customer; use another id for another one',
  );
}
