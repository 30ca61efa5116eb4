/** The list of orders over HTTP. */
import { Controller, Get, Query } from '@nestjs/common';
import { ApiOperation, ApiPropertyOptional, ApiTags } from '@nestjs/swagger';
import { ApiAnswer, type Caller, CallerOf, type Page, PageOf, PageQuery, readPage, Roles, reachOf } from '@shop/http';
import { IsIn, IsOptional, IsUUID, Matches } from 'class-validator';
import { type Order, type OrderStatus, orderStatuses } from '../order';
import { orderJsonFor, OrderView } from '../order.view';
import { OrdersListService } from './orders-list.service';

/** Whoever works on events of orders reads those of a batch at once. */
const UUID = '[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}';
const IDS = new RegExp(`^${UUID}(,${UUID}){0,99}$`);

class OrdersQuery extends PageQuery {
  @ApiPropertyOptional({ enum: orderStatuses })
  @IsOptional()
  @IsIn(orderStatuses)
  status?: OrderStatus;

  @ApiPropertyOptional({
    description: 'only these orders, at most 100, on one page; those that are not there are left out',
    example: '01a20621-a6cd-74b9-a1c3-459d717a98c4',
  })
  @IsOptional()
  @Matches(IDS, { message: 'ids must be 1 to 100 UUIDs with commas between them' })
  ids?: string;

  @IsOptional()
  @IsUUID()
  declare cursor?: string;
}

@ApiTags('orders')
@Controller('orders')
@Roles('customer', 'operator')
export class OrdersListController {
  constructor(private readonly orders: OrdersListService) {}

  @Get()
  @ApiOperation({
    operationId: 'listOrders',
    summary: 'Orders, newest first, page by page',
    description:
      'Those that you have placed. For an operator those of its tenant, whoever placed them. With `ids` it is one page, ' +
      'whatever the limit.',
  })
  @ApiAnswer(200, PageOf(OrderView), { description: 'a page' })
  async list(
    @CallerOf() caller: Caller,
    @Query() { status, ids, cursor, limit }: OrdersQuery,
  ): Promise<Page<OrderView>> {
    const item = (order: Order) => orderJsonFor(caller, order);
    if (ids !== undefined) {
      const some = await this.orders.some({ ...reachOf(caller), status, ids: ids.split(',') });
      return { items: some.map(item), next: null };
    }
    const read = (limit: number) => this.orders.list({ ...reachOf(caller), status, before: cursor, limit });
    return readPage(limit, read, { item, cursor: ({ id }) => id });
  }
}
