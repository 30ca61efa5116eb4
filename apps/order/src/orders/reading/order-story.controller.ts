/** The progress of an order: its saga, at once or as a stream of events. */
import type { OutgoingHttpHeaders } from 'node:http';
import { Controller, Get, Param, Req, Res } from '@nestjs/common';
import { ApiExtraModels, ApiHeader, ApiOperation, ApiResponse, ApiTags, getSchemaPath } from '@nestjs/swagger';
import { ApiAnswer, type Caller, CallerOf, OwnTurns, Roles } from '@shop/http';
import { ApiProblems } from '@shop/problem';
import type { SagaView } from '@shop/saga';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { isSettled } from '../order';
import { ApiOrderId, keyFor } from '../order-id';
import { OrderMoveView, OrderSagaView } from './order-story.view';
import { OrderWatch, type Watching } from './order-watch';
import { keyOf, type OrderKey } from '../orders.repository';
import { OrdersService } from '../orders.service';

/** After this time without news, a comment keeps proxies from closing the stream. */
const HEARTBEAT_MS = 5_000;
/** The client of a longer stream has probably gone. Clients reconnect by themselves. */
const MAX_STREAM_MS = 10 * 60_000;

@ApiTags('orders')
@Controller('orders/:id')
@Roles('customer', 'operator')
export class OrderStoryController {
  constructor(
    private readonly orders: OrdersService,
    private readonly watch: OrderWatch,
  ) {}

  @Get('saga')
  @ApiOperation({
    operationId: 'getOrderSaga',
    summary: 'The saga that places the order, with its history; and the one that cancels it',
    description: 'Where the order stands between the services, and how it got there.',
  })
  @ApiOrderId()
  @ApiAnswer(200, OrderSagaView, { description: 'the saga as it is now' })
  @ApiProblems({ 404: ['order_not_found'] })
  async saga(@CallerOf() caller: Caller, @Param('id') id: string): Promise<OrderSagaView> {
    const [placing, cancelling] = await this.orders.sagasOf(await this.orders.get(keyFor(caller, id)), caller);
    return { ...placing!, cancelledBy: cancelling };
  }

  @Get('events')
  @OwnTurns()
  @ApiOperation({
    operationId: 'watchOrder',
    summary: 'Server-sent events: one for each transition, until the order is settled',
    description:
      'Each event has the type `transition`, an id, and one Move as its data. Last-Event-ID goes on behind the event ' +
      'with that id. The stream ends when the order is confirmed or cancelled, or after ten minutes. A client that comes ' +
      'back behind the end of a settled order gets 204, which tells an EventSource to stop.',
  })
  @ApiOrderId()
  @ApiHeader({
    name: 'last-event-id',
    required: false,
    description: 'the id of the last event that you have seen',
    schema: { type: 'string', example: 'place-order/2' },
  })
  @ApiExtraModels(OrderMoveView)
  @ApiResponse({
    status: 200,
    description: 'the moves so far, and then each one as it happens; the schema is that of the data of an event',
    content: { 'text/event-stream': { schema: { $ref: getSchemaPath(OrderMoveView) } } },
  })
  @ApiAnswer(204, null, { description: 'the order is settled, and you have seen its last event' })
  @ApiProblems({ 404: ['order_not_found'], 429: ['too_many_waiting'] })
  async events(
    @CallerOf() caller: Caller,
    @Param('id') id: string,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const story = { key: keyFor(caller, id), caller };
    const order = await this.orders.get(story.key);
    const lastEventId = String(request.headers['last-event-id'] ?? '');
    if (lastEventId !== '' && isSettled(order)) {
      const events = (await this.orders.sagasOf(order, caller)).flatMap(eventsOf);
      if (newsAfter(lastEventId, events).length === 0) return void reply.status(204).send();
    }
    const leave = this.watch.streams.take(caller.tenant);
    reply.hijack();
    // What the door has said about the answer: who may read it, and how many requests are left.
    const headers = reply.getHeaders() as OutgoingHttpHeaders;
    reply.raw.writeHead(200, { ...headers, 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    try {
      if (request.method !== 'HEAD') await this.stream(story, reply, lastEventId);
    } finally {
      leave();
      reply.raw.end();
    }
  }

  private async stream({ key, caller }: Story, reply: FastifyReply, lastEventId: string): Promise<void> {
    let watching: Watching | undefined;
    reply.raw.on('close', () => watching?.stop());
    const endsAt = performance.now() + MAX_STREAM_MS;
    let sent = lastEventId;
    // If the client left before this handler started, there is no event for it. So the loop checks the connection.
    while (!reply.raw.destroyed && !this.watch.stopped && performance.now() < endsAt) {
      watching = this.watch.watch(keyOf(key), HEARTBEAT_MS);
      try {
        const order = await this.orders.get(key);
        sent = writeNews(reply, (await this.orders.sagasOf(order, caller)).flatMap(eventsOf), sent);
        if (isSettled(order)) return;
        if (await watching.moved) continue;
        // A client that does not read what it was sent gets nothing more.
        if (reply.raw.writableNeedDrain) return;
        reply.raw.write(': still here\n\n');
      } finally {
        watching.stop();
      }
    }
  }
}

/** Whose story is told, and to whom. */
interface Story {
  key: OrderKey;
  caller: Caller;
}

interface StoryEvent {
  id: string;
  data: OrderMoveView;
}

function eventsOf(saga: SagaView): StoryEvent[] {
  return saga.history.map((entry) => ({
    id: `${saga.definition}/${entry.seq}`,
    data: { saga: saga.definition, ...entry },
  }));
}

/** The events after the event `sent`; all of them if there is no such event. */
function newsAfter(sent: string, events: StoryEvent[]): StoryEvent[] {
  return events.slice(events.findIndex(({ id }) => id === sent) + 1);
}

/** Writes the events after the event `sent`. Returns the id of the last one. */
function writeNews(reply: FastifyReply, events: StoryEvent[], sent: string): string {
  const news = newsAfter(sent, events);
  for (const { id, data } of news) reply.raw.write(`id: ${id}\nevent: transition\ndata: ${JSON.stringify(data)}\n\n`);
  return news.at(-1)?.id ?? sent;
}
