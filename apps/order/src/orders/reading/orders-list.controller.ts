/** The list of orders over HTTP. */
import { Controller, Get, Query } from '@nestjs/common';
import { ApiOperation, ApiPropertyOptional, ApiTags } from '@nestjs/swagger';
import { ApiAnswer, type Caller, CallerOf, type Page, PageOf, PageQuery, readPage, Roles } from '@shop/http';
import { IsIn, IsOptional, IsUUID } from 'class-validator';
import { type OrderStatus, orderStatuses } from '../order';
import { reachOf } from '../order-id';
import { orderJson, OrderView } from '../order.view';
import { OrdersListService } from './orders-list.service';

class OrdersQuery extends PageQuery {
  @ApiPropertyOptional({ enum: orderStatuses })
  @IsOptional()
  @IsIn(orderStatuses)
  status?: OrderStatus;

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
    description: 'Those that you have placed. For an operator those of its tenant, whoever placed them.',
  })
  @ApiAnswer(200, PageOf(OrderView), { description: 'a page' })
  list(@CallerOf() caller: Caller, @Query() { status, cursor, limit }: OrdersQuery): Promise<Page<OrderView>> {
    const read = (limit: number) => this.orders.list({ ...reachOf(caller), status, before: cursor, limit });
    return readPage(limit, read, { item: orderJson, cursor: ({ id }) => id });
  }
}
