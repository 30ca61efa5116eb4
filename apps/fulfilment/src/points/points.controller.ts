/** The points of a customer over HTTP. */
import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import { ApiAnswer, type Caller, CallerOf, PageQuery, reachOf, readPage, Roles } from '@shop/http';
import { IsOptional, Matches } from 'class-validator';
import type { EntryKind } from './point-entry.entity';
import { entryJson, PointsView } from './points.view';
import { type EntryPlace, PointsService } from './points.service';

const CURSOR = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\.(earned|taken_back)$/;

class PointsQuery extends PageQuery {
  @IsOptional()
  @Matches(CURSOR, { message: 'cursor must be `next` of the page before' })
  declare cursor?: string;
}

@ApiTags('points')
@Controller('customers/:id/points')
@Roles('customer', 'operator')
export class PointsController {
  constructor(private readonly points: PointsService) {}

  @Get()
  @ApiOperation({
    operationId: 'getPoints',
    summary: 'The points of a customer, with the entries that make the balance',
    description:
      'A customer sees those of the orders that its own principal has placed; an operator sees all of its tenant. ' +
      'A customer who has none, or whom nobody knows, has a balance of 0.',
  })
  @ApiParam({ name: 'id', description: 'the customerId of the orders', example: 'alice' })
  @ApiAnswer(200, PointsView, { description: 'the balance, and a page of entries' })
  async get(
    @CallerOf() caller: Caller,
    @Param('id') customerId: string,
    @Query() { cursor, limit }: PointsQuery,
  ): Promise<PointsView> {
    const whose = { ...reachOf(caller), customerId };
    const read = (limit: number) =>
      this.points.list({ ...whose, before: cursor === undefined ? undefined : placeOf(cursor), limit });
    const [balance, page] = await Promise.all([
      this.points.balance(whose),
      readPage(limit, read, { item: entryJson, cursor: ({ orderId, kind }) => `${orderId}.${kind}` }),
    ]);
    return { customerId, balance, ...page };
  }
}

function placeOf(cursor: string): EntryPlace {
  const [orderId, kind] = cursor.split('.') as [string, EntryKind];
  return { orderId, kind };
}
