/** How an order is getting on: its saga, at once or as a stream of events. */
import { Controller, Get, Param, Req, Res } from '@nestjs/common';
import { ApiOperation, ApiProduces, ApiTags } from '@nestjs/swagger';
import { type Caller, CallerOf } from '@shop/http';
import { Database } from '@shop/postgres';
import { findSaga, type SagaView } from '@shop/saga';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { isSettled, type Order } from './order';
import { OrderWatch, type Watching } from './order-watch';
import { keyFor } from './orders.controller';
import { keyOf, type OrderKey } from './orders.repository';
import { OrdersService } from './orders.service';

/** Without news for this long, a comment keeps proxies from closing the stream. */
const HEARTBEAT_MS = 5_000;
/** A stream that outlives this is for somebody who went away; clients reconnect by themselves. */
const MAX_STREAM_MS = 10 * 60_000;

@ApiTags('orders')
@Controller('orders/:id')
export class OrderStoryController {
  constructor(
    private readonly orders: OrdersService,
    private readonly watch: OrderWatch,
    private readonly database: Database,
  ) {}

  @Get('saga')
  @ApiOperation({ summary: 'The saga that places the order, with its history; and the one that cancels it' })
  async saga(@CallerOf() caller: Caller, @Param('id') id: string) {
    const [placing, cancelling] = await this.sagasOf(await this.orders.get(keyFor(caller, id)));
    return { ...placing, cancelledBy: cancelling };
  }

  @Get('events')
  @ApiProduces('text/event-stream')
  @ApiOperation({ summary: 'Server-sent events: one per transition, until the order is settled' })
  async events(
    @CallerOf() caller: Caller,
    @Param('id') id: string,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const key = keyFor(caller, id);
    await this.orders.get(key);
    reply.hijack();
    reply.raw.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    try {
      if (request.method !== 'HEAD') await this.stream(key, reply, String(request.headers['last-event-id'] ?? ''));
    } finally {
      reply.raw.end();
    }
  }

  private async stream(key: OrderKey, reply: FastifyReply, lastEventId: string): Promise<void> {
    let watching: Watching | undefined;
    reply.raw.on('close', () => watching?.stop());
    const endsAt = performance.now() + MAX_STREAM_MS;
    let sent = lastEventId;
    // A client that went away before this began has closed unheard.
    while (!reply.raw.destroyed && !this.watch.stopped && performance.now() < endsAt) {
      watching = this.watch.watch(keyOf(key), HEARTBEAT_MS);
      try {
        const order = await this.orders.get(key);
        sent = writeNews(reply, (await this.sagasOf(order)).flatMap(eventsOf), sent);
        if (isSettled(order)) return;
        if (!(await watching.moved)) reply.raw.write(': still here\n\n');
      } finally {
        watching.stop();
      }
    }
  }

  private async sagasOf({ sagaId, cancelSagaId }: Order): Promise<SagaView[]> {
    const ids = cancelSagaId ? [sagaId, cancelSagaId] : [sagaId];
    const sagas = await Promise.all(ids.map((id) => findSaga(this.database, id)));
    return sagas.filter((saga) => saga !== undefined);
  }
}

interface StoryEvent {
  id: string;
  data: unknown;
}

function eventsOf(saga: SagaView): StoryEvent[] {
  return saga.history.map((entry) => ({
    id: `${saga.definition}/${entry.seq}`,
    data: { saga: saga.definition, ...entry },
  }));
}

/** Writes what comes after the event `sent`; answers the id of the last one. */
function writeNews(reply: FastifyReply, events: StoryEvent[], sent: string): string {
  const news = events.slice(events.findIndex(({ id }) => id === sent) + 1);
  for (const { id, data } of news) reply.raw.write(`id: ${id}\nevent: transition\ndata: ${JSON.stringify(data)}\n\n`);
  return news.at(-1)?.id ?? sent;
}
