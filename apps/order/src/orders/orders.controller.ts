/** Orders over HTTP: the contract that clients see. */
import { Body, Controller, Delete, Get, Headers, HttpCode, Param, Post, Put, Query, Res } from '@nestjs/common';
import { ApiHeader, ApiOperation, ApiPropertyOptional, ApiResponse, ApiTags } from '@nestjs/swagger';
import {
  type Caller,
  CallerOf,
  etagOf,
  pageOf,
  PageQuery,
  requireMatch,
  requireNone,
  unlessModified,
} from '@shop/http';
import { type Claim, ClaimOf, httpOutcome, Idempotent, type Outcome } from '@shop/idempotency';
import { newTraceparent } from '@shop/observability';
import { Database } from '@shop/postgres';
import { Problem, validationFailed } from '@shop/problem';
import { preferredWaitMs } from '@shop/resilience';
import { isUUID, IsIn, IsOptional, IsUUID } from 'class-validator';
import type { FastifyReply } from 'fastify';
import { OrderBody, orderJson, type OrderStatus, orderStatuses } from './order';
import { listOrders } from './orders.repository';
import { OrdersService } from './orders.service';
import { claimOfPut, orderIdConflict } from './place-orders';

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
export class OrdersController {
  constructor(
    private readonly orders: OrdersService,
    private readonly database: Database,
  ) {}

  @Post()
  @Idempotent({ strategy: 'atomic' })
  @ApiOperation({ summary: 'Places an order; its saga then reserves, charges and confirms' })
  @ApiResponse({ status: 201, description: 'accepted, with Location and ETag' })
  @ApiResponse({
    status: 409,
    description:
      'idempotency_key_reused (another request), idempotency_key_in_use, or already_submitted: the order was placed ' +
      'so long ago that its first answer is forgotten; statusUrl and Location lead to it',
  })
  @ApiResponse({ status: 422, description: 'unknown_sku, mixed_currencies, total_too_large' })
  @ApiResponse({ status: 503, description: 'overloaded' })
  create(
    @CallerOf() caller: Caller,
    @ClaimOf() claim: Claim,
    @Body() body: OrderBody,
    @Headers('traceparent') traceparent?: string,
  ): Promise<Outcome> {
    return this.orders.place({ claim, caller, body, traceparent: newTraceparent(traceparent) });
  }

  @Put(':id')
  @Idempotent({ strategy: 'natural' })
  @ApiOperation({ summary: 'Places an order under an id of the client; the same again answers 200' })
  async createAs(
    @CallerOf() caller: Caller,
    @Param('id') id: string,
    @Body() body: OrderBody,
    @Res({ passthrough: true }) reply: FastifyReply,
    @Headers('if-match') ifMatch?: string,
    @Headers('if-none-match') ifNoneMatch?: string,
    @Headers('traceparent') traceparent?: string,
  ) {
    if (!isUUID(id)) throw validationFailed([{ path: 'id', message: 'must be a UUID' }]);
    const key = keyFor(caller, id);
    if (ifMatch !== undefined) requireMatch(ifMatch, (await this.orders.find(key))?.version);
    const claim = claimOfPut(key.tenant, key.id, body);
    const outcome = await this.orders.place({
      claim,
      caller,
      body,
      id: key.id,
      traceparent: newTraceparent(traceparent),
    });
    const created = outcome.kind === 'fresh' && outcome.answer.status === 201;
    // Placing changes nothing where an order is, so this may be asked behind it, when it is surely known.
    if (!created && ifNoneMatch !== undefined) {
      const order = await this.orders.find(key);
      if (order) requireNone(ifNoneMatch, order.version);
    }
    if (outcome.kind === 'reused') throw orderIdConflict();
    const { status, headers, body: answer } = httpOutcome(outcome);
    if (status >= 400) {
      void reply.status(status).headers(headers);
      return answer;
    }
    const order = await this.orders.get(key);
    void reply.status(created ? 201 : 200).headers({ location: `/orders/${order.id}`, etag: etagOf(order.version) });
    return orderJson(order);
  }

  @Get()
  @ApiOperation({ summary: 'Orders, newest first, page by page' })
  async list(@CallerOf() { tenant }: Caller, @Query() { status, cursor, limit }: OrdersQuery) {
    const rows = await listOrders(this.database, { tenant, status, before: cursor, limit: limit + 1 });
    return pageOf(rows, limit, { item: orderJson, cursor: ({ id }) => id });
  }

  @Get(':id')
  @ApiOperation({ summary: 'One order; waits until it is settled with Prefer: wait=N' })
  @ApiHeader({ name: 'Prefer', required: false, description: 'wait=N, at most 30 seconds' })
  async get(
    @CallerOf() caller: Caller,
    @Param('id') id: string,
    @Res({ passthrough: true }) reply: FastifyReply,
    @Headers('prefer') prefer?: string,
    @Headers('if-none-match') ifNoneMatch?: string,
  ) {
    const waitMs = preferredWaitMs(prefer) ?? 0;
    const key = keyFor(caller, id);
    const order =
      waitMs > 0 ? await this.orders.getSettled(key, waitMs, () => reply.raw.destroyed) : await this.orders.get(key);
    const etag = etagOf(order.version);
    void reply.header('etag', etag);
    if (waitMs > 0) void reply.header('preference-applied', `wait=${waitMs / 1_000}`);
    if (!unlessModified(ifNoneMatch, etag)) return orderJson(order);
    void reply.status(304);
    return undefined;
  }

  @Delete(':id')
  @HttpCode(204)
  @Idempotent({ strategy: 'natural' })
  @ApiOperation({ summary: 'Cancels an order, whatever its state; again and again 204' })
  async cancel(
    @CallerOf() caller: Caller,
    @Param('id') id: string,
    @Headers('if-match') ifMatch?: string,
  ): Promise<void> {
    await this.orders.cancel(keyFor(caller, id), ({ version }) => {
      if (ifMatch !== undefined) requireMatch(ifMatch, version);
    });
  }
}

/** An id that is no UUID names no order. */
export function keyFor({ tenant }: Caller, id: string): { tenant: string; id: string } {
  if (!isUUID(id)) throw new Problem(404, 'order_not_found', 'an order id is a UUID');
  return { tenant, id: id.toLowerCase() };
}
