/** The request that creates or changes a promotion, and the terms that it means. */
import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { MAX_LINES, SKU } from '@shop/contracts';
import { validationFailed } from '@shop/validation';
import { Type } from 'class-transformer';
import {
  ArrayMaxSize,
  ArrayMinSize,
  ArrayUnique,
  IsArray,
  IsBoolean,
  IsIn,
  IsInt,
  IsISO8601,
  IsOptional,
  Matches,
  Max,
  Min,
  ValidateNested,
} from 'class-validator';
import { Money } from '../products/product';
import { type PromotionKind, promotionKinds, type PromotionTerms } from './promotion';

/** Far more than a shop gives away, and no more than an `int` holds. */
const MAX_USES = 1_000_000_000;
/** A time without a zone would mean another moment on each machine. */
const ZONED = /T.*(?:Z|[+-]\d\d:?\d\d)$/;
const zoned = { message: '$property must be a time with its zone, such as 2026-03-01T12:00:00Z' };

export class PromotionBody {
  @ApiProperty({
    enum: promotionKinds,
    description: 'percent of the list price, or an amount of money',
    example: 'percent',
  })
  @IsIn(promotionKinds)
  kind: PromotionKind;

  @ApiPropertyOptional({ description: 'of the kind percent', example: 10 })
  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(100)
  percent?: number;

  @ApiPropertyOptional({ type: Money, description: 'of the kind amount' })
  @IsOptional()
  @ValidateNested()
  @Type(() => Money)
  amount?: Money;

  @ApiPropertyOptional({ type: [String], description: 'only these products get it; else all', example: ['cup'] })
  @IsOptional()
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(MAX_LINES)
  @ArrayUnique()
  @Matches(SKU, { each: true, message: 'skus must be 1 to 64 of A-Z a-z 0-9 . _ - each' })
  skus?: string[];

  @ApiPropertyOptional({ type: Money, description: 'what the order has to come to before anything is taken off' })
  @IsOptional()
  @ValidateNested()
  @Type(() => Money)
  minimum?: Money;

  @ApiPropertyOptional({ format: 'date-time', example: '2026-03-01T00:00:00.000Z' })
  @IsOptional()
  @IsISO8601({ strict: true }, zoned)
  @Matches(ZONED, zoned)
  startsAt?: string;

  @ApiPropertyOptional({
    format: 'date-time',
    description: 'from then on it is over',
    example: '2126-04-01T00:00:00.000Z',
  })
  @IsOptional()
  @IsISO8601({ strict: true }, zoned)
  @Matches(ZONED, zoned)
  endsAt?: string;

  @ApiPropertyOptional({ description: 'how many orders may have it', example: 1_000 })
  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(MAX_USES)
  maxUses?: number;

  @ApiPropertyOptional({ description: 'how many orders of one customer may have it', example: 1 })
  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(MAX_USES)
  maxUsesPerCustomer?: number;

  @ApiPropertyOptional({
    description: 'whether an order may have others beside it; not, unless it is said',
    example: true,
  })
  @IsOptional()
  @IsBoolean()
  combinable?: boolean;
}

/** For the documentation: one of each kind. */
export const promotionExamples = {
  percent: { summary: 'a percentage', value: { kind: 'percent', percent: 10, combinable: true } },
  amount: {
    summary: 'an amount off orders of certain products',
    value: {
      kind: 'amount',
      amount: { amount: 500, currency: 'EUR' },
      minimum: { amount: 2000, currency: 'EUR' },
      skus: ['cup'],
      endsAt: '2126-04-01T00:00:00.000Z',
      maxUses: 1000,
      maxUsesPerCustomer: 1,
    },
  },
};

export type WrittenTerms = Omit<PromotionTerms, 'code' | 'used'>;

/** @throws Problem 400 `validation_failed` when the members do not go together */
export function termsOf(body: PromotionBody): WrittenTerms {
  const { kind, amount, minimum } = body;
  // Null is what is not there.
  const percent = body.percent ?? undefined;
  refuseUnless((kind === 'percent') === (percent !== undefined), 'percent', 'belongs to the kind percent');
  refuseUnless((kind === 'amount') === Boolean(amount), 'amount', 'belongs to the kind amount');
  refuseUnless(amount?.amount !== 0, 'amount', 'must be more than nothing');
  refuseUnless(minimum?.amount !== 0, 'minimum', 'must be more than nothing');
  const currency = (amount ?? minimum)?.currency;
  refuseUnless(!minimum || minimum.currency === currency, 'minimum', 'must be in the currency of the amount');
  const [startsAt, endsAt] = [timeOf(body.startsAt), timeOf(body.endsAt)];
  refuseUnless(!startsAt || !endsAt || startsAt < endsAt, 'endsAt', 'must be later than startsAt');
  return {
    kind,
    percent,
    amount: amount?.amount,
    currency,
    skus: body.skus ? [...body.skus].sort() : undefined,
    minimum: minimum?.amount,
    startsAt,
    endsAt,
    maxUses: body.maxUses ?? undefined,
    maxUsesPerCustomer: body.maxUsesPerCustomer ?? undefined,
    combinable: body.combinable ?? false,
  };
}

const timeOf = (text?: string | null): Date | undefined => (text ? new Date(text) : undefined);

function refuseUnless(holds: boolean, path: string, message: string): void {
  if (!holds) throw validationFailed([{ path, message }]);
}
