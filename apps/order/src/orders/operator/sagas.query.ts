/** What the list of sagas can be asked for. */
import { ApiProperty, ApiPropertyOptional, ApiSchema } from '@nestjs/swagger';
import { PageOf, PageQuery } from '@shop/http';
import { type ActionName, actionNames, openStatuses, type SagaStatus, sagaStatuses } from '@shop/saga';
import { IsText } from '@shop/validation';
import { Transform } from 'class-transformer';
import { IsIn, IsInt, IsOptional, IsUUID, Matches, Max, Min } from 'class-validator';
import { ListedSagaView } from './listed-saga.view';

/** A name of ours or a code: neither is longer. */
export const MAX_WORD_LENGTH = 200;
/** Some decades. */
export const MAX_AGE_SECONDS = 1_000_000_000;

export const statusWishes = ['open', 'all', ...sagaStatuses] as const;
export type StatusWish = (typeof statusWishes)[number];

export const searchedElsewhere = ['payment', 'idempotency-keys', 'older-orders'] as const;
export type SearchedElsewhere = (typeof searchedElsewhere)[number];

/** The text of a query; digits only for a number: `Number` also reads 1e2, 0x10 and white space. */
export const ToNumber = () =>
  Transform(({ value }) => (typeof value === 'string' && /^-?\d+$/.test(value) ? Number(value) : (value as unknown)));

/** A name or a code, or nothing. */
export const Word = () => (target: object, name: string) => {
  IsOptional()(target, name);
  IsText(MAX_WORD_LENGTH)(target, name);
};

export class SagasQuery extends PageQuery {
  @ApiPropertyOptional({
    enum: statusWishes,
    description: 'without it: the open ones, that is running, compensating and parked; with `q`: all',
  })
  @IsOptional()
  @IsIn(statusWishes)
  status?: StatusWish;

  @ApiPropertyOptional({ description: 'the name of a saga definition', example: 'place-order' })
  @Word()
  definition?: string;

  @ApiPropertyOptional({ description: 'where it stands, or ended', example: 'charge' })
  @Word()
  step?: string;

  @ApiPropertyOptional({ enum: actionNames, description: 'which command of the step' })
  @IsOptional()
  @IsIn(actionNames)
  action?: ActionName;

  @ApiPropertyOptional({ description: 'why it is parked, or why it turned back', example: 'out_of_stock' })
  @Word()
  reason?: string;

  @ApiPropertyOptional({ type: 'integer', minimum: 0, description: 'begun at least so long ago', example: 600 })
  @IsOptional()
  @ToNumber()
  @IsInt()
  @Min(0)
  @Max(MAX_AGE_SECONDS)
  olderThanSeconds?: number;

  @ApiPropertyOptional({
    description:
      'the whole id of an order, a saga, a payment or a customer, the reference of the provider, or the idempotency key ' +
      'with which the order was placed',
    example: 'pmt_u0cvXt9NcH0r3cRGqAAAJ2fBYvM',
  })
  @IsOptional()
  @IsText(MAX_WORD_LENGTH)
  @Matches(/\S/, { message: 'q must say something' })
  q?: string;

  @IsOptional()
  @IsUUID()
  declare cursor?: string;
}

@ApiSchema({
  name: 'SagasPage',
  description:
    'A part of the list. A filter that fits few sagas may answer a short page, or none, with a `next`: it has looked at ' +
    'thousands of sagas, and goes on behind them.',
})
export class SagasPageView extends PageOf(ListedSagaView) {
  declare items: ListedSagaView[];
  declare next: string | null;

  @ApiProperty({
    enum: searchedElsewhere,
    isArray: true,
    description:
      'where `q` could not be looked for: what is known there may be missing. `older-orders`: the customer has so many ' +
      'that only some of them are found',
    example: [],
  })
  degraded: SearchedElsewhere[];
}

export function statusesOf(status: StatusWish): readonly SagaStatus[] {
  if (status === 'open') return openStatuses;
  return status === 'all' ? sagaStatuses : [status];
}
