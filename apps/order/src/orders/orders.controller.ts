/** Orders over HTTP: the contract that clients see. */
import { Body, Controller, Delete, Get, Headers, HttpCode, Param, Post, Put, Res } from '@nestjs/common';
import { ApiBody, ApiOperation, ApiTags } from '@nestjs/swagger';
import {
  ApiAnswer,
  ApiConditionalWrite,
  ApiPreferWait,
  ApiTraceparent,
  type Caller,
  CallerOf,
  ConditionalGet,
  etagOf,
  OwnTurns,
  requireMatch,
  requireNone,
  Roles,
  unlessModified,
  isVisible,
} from '@shop/http';
import {
  ApiAlreadySubmitted,
  type Claim,
  ClaimOf,
  httpOutcome,
  Idempotent,
  type Outcome,
  preferredWaitMs,
} from '@shop/idempotency';
import { newTraceparent } from '@shop/observability';
import { ApiProblems } from '@shop/problem';
import { validationFailed } from '@shop/validation';
import { isUUID } from 'class-validator';
import type { FastifyReply } from 'fastify';
import { ApiOrderId, keyFor } from './order-id';
import { type Order } from './order';
import { OrderBody, orderBodyExamples } from './order.body';
import { orderJson, orderJsonFor, OrderView } from './order.view';
import { OrdersService } from './orders.service';
import { orderIdConflict } from './placing/place-orders';
import { claimOfPut } from './placing/place-request';
import { orderRefusals } from './placing/refusals';

/** An order, and who sees it. */
interface SeenOrder {
  caller: Caller;
  order: Order;
  version: number;
}

const seenBy = (caller: Caller, order: Order): SeenOrder => ({ caller, order, version: order.version });

@ApiTags('orders')
@Controller('orders')
@Roles('customer', 'operator')
export class OrdersController {
  constructor(private readonly orders: OrdersService) {}

  @Post()
  @OwnTurns()
  @Idempotent({ strategy: 'atomic' })
  @ApiOperation({
    operationId: 'placeOrder',
    summary: 'Places an order; its saga then reserves, charges and confirms',
    description:
      'Answers as soon as order and saga are written. GET /orders/{id} with Prefer: wait=N waits for the end of the saga. ' +
      'A cart is ordered once, at the prices and with the promotions of this moment; a promotion that cannot be had refuses ' +
      'the order. A refusal is kept under its key as every answer is, so a changed wish needs a new key.',
  })
  @ApiBody({ type: OrderBody, examples: orderBodyExamples })
  @ApiTraceparent()
  @ApiAnswer(201, OrderView, { description: 'accepted', headers: ['location', 'etag', 'idempotent-replayed'] })
  @ApiAlreadySubmitted('/orders/01a20621-a6cd-74b9-a1c3-459d717a98c4')
  @ApiProblems(orderRefusals)
  @ApiProblems({ 429: ['too_many_open_orders'] })
  create(
    @CallerOf() caller: Caller,
    @ClaimOf() claim: Claim,
    @Body() body: OrderBody,
    @Headers('traceparent') traceparent?: string,
  ): Promise<Outcome> {
    return this.orders.place({ claim, caller, body, traceparent: traceparent ?? newTraceparent() });
  }

  @Put(':id')
  @OwnTurns()
  @Idempotent({ strategy: 'natural' })
  @ApiOperation({
    operationId: 'placeOrderAs',
    summary: 'Places an order under an id of the client',
    description:
      'The same content again changes nothing and answers the order as it is now. An id under which somebody else has ' +
      'placed an order is taken, whatever the content.',
  })
  @ApiOrderId()
  @ApiBody({ type: OrderBody, examples: orderBodyExamples })
  @ApiTraceparent()
  @ApiConditionalWrite({ creates: true })
  @ApiAnswer(201, OrderView, { description: 'accepted', headers: ['location', 'etag'] })
  @ApiAnswer(200, OrderView, {
    description: 'it was placed before, by the same request',
    headers: ['location', 'etag'],
  })
  @ApiProblems(orderRefusals)
  @ApiProblems({
    409: ['order_id_conflict', 'idempotency_key_in_use'],
    410: ['idempotency_key_erased'],
    429: ['too_many_open_orders'],
  })
  async createAs(
    @CallerOf() caller: Caller,
    @Param('id') id: string,
    @Body() body: OrderBody,
    @Res({ passthrough: true }) reply: FastifyReply,
    @Headers('if-match') ifMatch?: string,
    @Headers('if-none-match') ifNoneMatch?: string,
    @Headers('traceparent') traceparent?: string,
  ): Promise<OrderView | string> {
    if (!isUUID(id)) throw validationFailed([{ path: 'id', message: 'must be a UUID' }]);
    const key = keyFor(caller, id);
    if (ifMatch !== undefined) requireMatch(ifMatch, (await this.orders.find(key))?.version);
    const claim = claimOfPut(key.tenant, key.id, body);
    const outcome = await this.orders.place({
      claim,
      caller,
      body,
      id: key.id,
      traceparent: traceparent ?? newTraceparent(),
    });
    const created = outcome.kind === 'fresh' && outcome.answer.status === 201;
    // A PUT changes nothing if the order exists. So these checks may come after it, when the service surely knows the
    // order. The claim is that of the whole tenant, so its outcome may be that of an order of somebody else.
    const before = created ? undefined : await this.orders.findForAll(key);
    if (before && !isVisible(before, key)) throw orderIdConflict();
    if (before && ifNoneMatch !== undefined) requireNone(ifNoneMatch, before.version);
    if (outcome.kind === 'reused') throw orderIdConflict();
    const { status, headers, body: answer } = httpOutcome(outcome);
    if (status >= 400) {
      void reply.status(status).headers(headers);
      return answer;
    }
    const order = before ?? (await this.orders.get(key));
    void reply.status(created ? 201 : 200).headers({ location: `/orders/${order.id}`, etag: etagOf(order.version) });
    return orderJson(order);
  }

  @Get(':id')
  @OwnTurns()
  @ConditionalGet(({ caller, order }: SeenOrder) => orderJsonFor(caller, order))
  @ApiOperation({
    operationId: 'getOrder',
    summary: 'One order',
    description:
      'With Prefer: wait=N it waits until the order is confirmed or cancelled, until its customer has to do something ' +
      '(nextAction; with If-None-Match, only until there is more news than that), or until the time is over. A customer sees ' +
      'only the orders that its own principal has placed; an operator sees all of its tenant.',
  })
  @ApiOrderId()
  @ApiPreferWait('wait=N: how many seconds, at most 30, to wait for the end of the order')
  @ApiAnswer(200, OrderView, { description: 'the order as it is now', headers: ['etag', 'preference-applied'] })
  @ApiProblems({ 404: ['order_not_found'], 429: ['too_many_waiting'] })
  async get(
    @CallerOf() caller: Caller,
    @Param('id') id: string,
    @Res({ passthrough: true }) reply: FastifyReply,
    @Headers('prefer') prefer?: string,
    @Headers('if-none-match') ifNoneMatch?: string,
  ): Promise<SeenOrder> {
    const waitMs = preferredWaitMs(prefer) ?? 0;
    const key = keyFor(caller, id);
    if (waitMs <= 0) return seenBy(caller, await this.orders.get(key));
    // A reply that comes behind another one on the same connection does not learn that the client has left.
    const { socket } = reply.request.raw;
    const order = await this.orders.getSettled(key, waitMs, {
      isGone: () => reply.raw.destroyed || socket.destroyed,
      isKnown: ({ version }) => unlessModified(ifNoneMatch, etagOf(version)),
    });
    void reply.header('preference-applied', `wait=${waitMs / 1_000}`);
    return seenBy(caller, order);
  }

  @Delete(':id')
  @HttpCode(204)
  @Idempotent({ strategy: 'natural' })
  @ApiOperation({
    operationId: 'cancelOrder',
    summary: 'Cancels an order that is not delivered yet',
    description:
      'The wish is written down; the saga turns back, or a second one stops the delivery, refunds and restocks. It may be ' +
      'repeated. When the delivery cannot be stopped any more, the order is confirmed again, with cancellationRefused; from ' +
      'then on, and when it has arrived, a wish to cancel it is refused at once.',
  })
  @ApiOrderId()
  @ApiConditionalWrite({})
  @ApiAnswer(204, null, { description: 'the order is being cancelled, or is cancelled' })
  @ApiProblems({ 404: ['order_not_found'], 409: ['already_shipped'] })
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
