/** Deliveries over HTTP. */
import { Controller, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiOperation, ApiParam, ApiPropertyOptional, ApiTags } from '@nestjs/swagger';
import { DELIVERY_ID } from '@shop/contracts';
import {
  ApiAnswer,
  type Caller,
  CallerOf,
  ConditionalGet,
  type Page,
  PageOf,
  PageQuery,
  reachOf,
  readPage,
  Roles,
} from '@shop/http';
import { type Claim, ClaimOf, Idempotent, type Outcome } from '@shop/idempotency';
import { ApiProblems } from '@shop/problem';
import { IsIn, IsOptional, IsUUID, Matches } from 'class-validator';
import { deliveryStatuses, type DeliveryStatus } from './delivery';
import type { DeliveryEntity } from './delivery.entity';
import { deliveryJson, DeliveryRetriedView, DeliveryView } from './delivery.view';
import { DeliveriesService } from './deliveries.service';

class DeliveriesQuery extends PageQuery {
  @IsOptional()
  @Matches(DELIVERY_ID, { message: 'cursor must be `next` of the page before' })
  declare cursor?: string;

  @ApiPropertyOptional({ format: 'uuid', description: 'only the delivery of this order' })
  @IsOptional()
  @IsUUID()
  orderId?: string;

  @ApiPropertyOptional({ enum: deliveryStatuses, description: 'only those; all if it is absent' })
  @IsOptional()
  @IsIn(deliveryStatuses)
  status?: DeliveryStatus;
}

const ApiDeliveryId = () => ApiParam({ name: 'id', example: 'dlv_u0cvXt9NcH0r3cRGqAAAJ2fBYvM' });

@ApiTags('deliveries')
@Controller('deliveries')
export class DeliveriesController {
  constructor(private readonly deliveries: DeliveriesService) {}

  @Get()
  @Roles('customer', 'operator')
  @ApiOperation({
    operationId: 'listDeliveries',
    summary: 'Deliveries, page by page',
    description:
      'Those of the orders that you have placed, in order of their ids. For an operator those of its tenant.',
  })
  @ApiAnswer(200, PageOf(DeliveryView), { description: 'a page' })
  list(
    @CallerOf() caller: Caller,
    @Query() { cursor: after = '', limit, orderId, status }: DeliveriesQuery,
  ): Promise<Page<DeliveryView>> {
    const reach = reachOf(caller);
    const read = (limit: number) => this.deliveries.list({ reach, orderId, status, after, limit });
    return readPage(limit, read, { item: deliveryJson, cursor: ({ id }) => id });
  }

  @Get(':id')
  @Roles('customer', 'operator')
  @ConditionalGet(deliveryJson)
  @ApiOperation({
    operationId: 'getDelivery',
    summary: 'One delivery',
    description: 'How far it is, and the number under which the carrier shows it.',
  })
  @ApiDeliveryId()
  @ApiAnswer(200, DeliveryView, { description: 'the delivery as it is now', headers: ['etag'] })
  @ApiProblems({ 404: ['delivery_not_found'] })
  get(@CallerOf() caller: Caller, @Param('id') id: string): Promise<DeliveryEntity> {
    return this.deliveries.get(reachOf(caller), id);
  }

  @Post(':id/retry')
  @Roles('operator')
  @Idempotent({ strategy: 'atomic' })
  @HttpCode(200)
  @ApiOperation({
    operationId: 'retryDelivery',
    summary: 'Hands a parked delivery over again',
    description: 'After what the carrier did not like was mended, such as the address in the profile of the customer.',
  })
  @ApiDeliveryId()
  @ApiAnswer(200, DeliveryRetriedView, { description: 'it waits for the worker', headers: ['idempotent-replayed'] })
  @ApiProblems({ 404: ['delivery_not_found'], 409: ['delivery_not_parked'] })
  retry(@CallerOf() { tenant }: Caller, @ClaimOf() claim: Claim, @Param('id') id: string): Promise<Outcome> {
    return this.deliveries.retry(claim, { tenant, id });
  }
}
