/** A promotion as clients see it. */
import { ApiProperty, ApiPropertyOptional, ApiSchema } from '@nestjs/swagger';
import { Money } from '../products/product';
import { type PromotionKind, promotionKinds } from './promotion';
import type { Promotion } from './promotion.entity';

@ApiSchema({ name: 'Promotion', description: 'A code that takes something off an order.' })
export class PromotionView {
  @ApiProperty({ example: 'SPRING-10' })
  code: string;

  @ApiProperty({ enum: promotionKinds, example: 'percent' })
  kind: PromotionKind;

  @ApiPropertyOptional({ type: 'integer', description: 'of the list price', example: 10 })
  percent?: number;

  @ApiPropertyOptional({ type: Money })
  amount?: Money;

  @ApiPropertyOptional({ type: [String], description: 'only these products get it', example: ['cup'] })
  skus?: string[];

  @ApiPropertyOptional({ type: Money, description: 'what the order has to come to before anything is taken off' })
  minimum?: Money;

  @ApiPropertyOptional({ format: 'date-time', example: '2026-03-01T00:00:00.000Z' })
  startsAt?: string;

  @ApiPropertyOptional({ format: 'date-time', example: '2126-04-01T00:00:00.000Z' })
  endsAt?: string;

  @ApiPropertyOptional({ type: 'integer', example: 1_000 })
  maxUses?: number;

  @ApiPropertyOptional({ type: 'integer', example: 1 })
  maxUsesPerCustomer?: number;

  @ApiProperty({ example: true })
  combinable: boolean;

  @ApiProperty({ type: 'integer', description: 'orders that have it and are not cancelled', example: 0 })
  used: number;

  @ApiProperty({ type: 'integer', description: 'counts the changes of the terms; the ETag tells the same', example: 1 })
  version: number;
}

export function promotionJson(promotion: Promotion): PromotionView {
  const { code, kind, percent, skus, maxUses, maxUsesPerCustomer, combinable, used, version } = promotion;
  const money = (amount?: number) => (amount === undefined ? undefined : { amount, currency: promotion.currency! });
  return {
    code,
    kind,
    percent,
    amount: money(promotion.amount),
    skus,
    minimum: money(promotion.minimum),
    startsAt: promotion.startsAt?.toISOString(),
    endsAt: promotion.endsAt?.toISOString(),
    maxUses,
    maxUsesPerCustomer,
    combinable,
    used,
    version,
  };
}
