/** The figures of the whole system, for those who run it: at once, or as a stream. */
import { Controller, Get, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { begin, Streams } from '../passing/streams';
import { SignedIn } from '../session/session.guard';
import { Collector } from './collector';
import type { Overview, Point } from './overview';

@ApiExcludeController()
@SignedIn('platform')
@Controller('figures')
export class FiguresController {
  constructor(
    private readonly collector: Collector,
    private readonly streams: Streams,
  ) {}

  @Get()
  all(): { overview: Overview; points: readonly Point[] } {
    return { overview: this.collector.overview(), points: this.collector.points };
  }

  @Get('live')
  live(@Res() reply: FastifyReply): void {
    const ending = this.streams.take(reply);
    begin(reply);
    const leave = this.collector.onLook((overview) => {
      // A page that does not read what it was sent gets nothing more.
      if (reply.raw.writableNeedDrain) return ending.abort();
      reply.raw.write(`event: figures\ndata: ${JSON.stringify(overview)}\n\n`);
    });
    ending.signal.addEventListener('abort', () => {
      leave();
      reply.raw.end();
    });
  }
}
