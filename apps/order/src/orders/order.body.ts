/** The request that places an order: of named items, or of a cart. */
import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import {
  type Capture,
  captures,
  CURRENCY,
  MAX_LINES,
  MAX_QUANTITY,
  MAX_SOURCE_LENGTH,
  SKU,
  SOURCE,
} from '@shop/contracts';
import { CART_ID } from '../carts/cart-id';
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
  IsUUID,
  Matches,
  Max,
  Min,
  ValidateBy,
  ValidateIf,
  ValidateNested,
} from 'class-validator';

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

/** A sum may be larger than any price. */
export class ExpectedTotalBody {
  @ApiProperty({ description: 'minor units, such as cents', example: 3998 })
  @IsInt()
  @Min(0)
  @Max(Number.MAX_SAFE_INTEGER)
  amount: number;

  @ApiProperty({ description: 'ISO 4217', example: 'EUR' })
  @Matches(CURRENCY)
  currency: string;
}

const isWithoutCart = ({ cartId }: OrderBody): boolean => cartId === undefined;

/** A cart knows its customer and its items. Two answers to one question would only hide a mistake. */
const IsInsteadOfItems = (): PropertyDecorator =>
  ValidateBy({
    name: 'isInsteadOfItems',
    validator: {
      validate: (_, asked) => {
        const { customerId, items } = asked!.object as OrderBody;
        return customerId === undefined && items === undefined;
      },
      defaultMessage: () => 'an order has either cartId, or customerId and items',
    },
  });

export class OrderBody {
  @ApiPropertyOptional({ description: 'with items', example: 'alice' })
  @ValidateIf(isWithoutCart)
  @IsText(100)
  customerId?: string;

  @ApiPropertyOptional({ type: [OrderItemBody], description: 'with customerId' })
  @ValidateIf(isWithoutCart)
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(MAX_LINES)
  @ArrayUnique((item: OrderItemBody) => item?.sku, { message: 'items must name each sku once' })
  @ValidateNested({ each: true })
  @Type(() => OrderItemBody)
  items?: OrderItemBody[];

  @ApiPropertyOptional({
    description: 'instead of customerId and items: the cart as it is now, with its promotions; it is then ordered',
    example: 'my-cart',
  })
  @ValidateIf((body: OrderBody) => !isWithoutCart(body))
  @Matches(CART_ID, { message: 'cartId must be 1 to 64 of A-Z a-z 0-9 _ -' })
  @IsInsteadOfItems()
  cartId?: string;

  @ApiProperty({ type: PaymentBody })
  @IsDefined()
  @ValidateNested()
  @Type(() => PaymentBody)
  payment: PaymentBody;

  @ApiPropertyOptional({
    description:
      'a reservation of the same lines, which the order takes over; when that is refused, the order is cancelled',
    example: '5d2a3c1e-7f0b-4c55-9d3e-0a1b2c3d4e5f',
  })
  @IsOptional()
  @IsUUID()
  reservationId?: string;

  @ApiPropertyOptional({
    type: ExpectedTotalBody,
    description: 'what the buyer was shown; the order is refused when it comes to something else now',
  })
  @IsOptional()
  @ValidateNested()
  @Type(() => ExpectedTotalBody)
  expectedTotal?: ExpectedTotalBody;
}

const payment = { source: 'tok_ok' };

/** For the documentation: one of each way to order. */
export const orderBodyExamples = {
  items: { summary: 'named items', value: { customerId: 'alice', items: [{ sku: 'cup', quantity: 2 }], payment } },
  cart: {
    summary: 'a cart',
    value: { cartId: 'my-cart', payment, expectedTotal: { amount: 3998, currency: 'EUR' } },
  },
};
