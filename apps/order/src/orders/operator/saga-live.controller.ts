/** Sagas of a tenant as they move, as a stream of events. */
import type { OutgoingHttpHeaders } from 'node:http';
import { Controller, Get, Query, Req, Res } from '@nestjs/common';
import {
  ApiExtraModels,
  ApiOperation,
  ApiProperty,
  ApiPropertyOptional,
  ApiResponse,
  ApiSchema,
  ApiTags,
  getSchemaPath,
} from '@nestjs/swagger';
import { type Caller, CallerOf, OwnTurns, Roles } from '@shop/http';
import { ApiProblems } from '@shop/problem';
import { sagaStatuses } from '@shop/saga';
import { IsInt, Max, Min } from 'class-validator';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { SagaMoves } from './saga-moves';
import type { SeenMove } from './saga-moves.repository';
import { ToNumber } from './sagas.query';

/** After this time without news, a comment keeps proxies from closing the stream. */
const HEARTBEAT_MS = 5_000;
/** The client of a longer stream has probably gone. Clients reconnect by themselves. */
const MAX_STREAM_SECONDS = 600;

class LiveQuery {
  @ApiPropertyOptional({
    type: 'integer',
    minimum: 1,
    maximum: MAX_STREAM_SECONDS,
    default: MAX_STREAM_SECONDS,
    description: 'when the stream ends at the latest',
  })
  @ToNumber()
  @IsInt()
  @Min(1)
  @Max(MAX_STREAM_SECONDS)
  seconds: number = MAX_STREAM_SECONDS;
}

@ApiSchema({ name: 'SagaMove', description: 'One move of one saga.' })
export class SagaMoveView {
  @ApiProperty({ format: 'uuid', example: '01a20621-a6cd-74b9-a1c3-459d717a98c4' })
  sagaId: string;

  @ApiProperty({ format: 'uuid', example: '01a20621-a6cd-74b9-a1c3-459d717a98c4' })
  orderId: string;

  @ApiProperty({ example: 'place-order' })
  definition: string;

  @ApiProperty({ type: 'integer', description: 'its place in the history of the saga', example: 2 })
  seq: number;

  @ApiProperty({ description: 'the step that it happened to', example: 'reserve' })
  step: string;

  @ApiProperty({ description: 'what happened', example: 'do.succeeded' })
  event: string;

  @ApiProperty({ description: 'the command that was awaited, or new', example: 'reserve.do' })
  from: string;

  @ApiProperty({ description: 'the command that is awaited now, or how the saga ended', example: 'charge.do' })
  to: string;

  @ApiProperty({ enum: sagaStatuses, description: 'what the saga is by now', example: 'running' })
  status: string;

  @ApiProperty({ format: 'date-time', example: '2026-03-01T12:00:00.040Z' })
  at: string;
}

@ApiTags('sagas')
@Roles('operator')
@Controller('sagas')
export class SagaLiveController {
  constructor(private readonly moves: SagaMoves) {}

  @Get('live')
  @OwnTurns()
  @ApiOperation({
    operationId: 'watchSagas',
    summary: 'Server-sent events: one for each move of a saga from now on',
    description:
      'Those of your tenant, whichever replica moves them. An event `move` has one SagaMove as its data. An event `gap` says ' +
      'that there were more moves than are told: read the list again. The stream ends after ten minutes, or when its ' +
      'client does not read; an EventSource comes back by itself, and then reads the list again too.',
  })
  @ApiExtraModels(SagaMoveView)
  @ApiResponse({
    status: 200,
    description: 'each move as it happens; the schema is that of the data of an event',
    content: { 'text/event-stream': { schema: { $ref: getSchemaPath(SagaMoveView) } } },
  })
  @ApiProblems({ 429: ['too_many_waiting'] })
  async live(
    @CallerOf() { tenant }: Caller,
    @Query() { seconds }: LiveQuery,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const leave = this.moves.seats.take(tenant);
    reply.hijack();
    // What the door has said about the answer: who may read it, and how many requests are left.
    const headers = reply.getHeaders() as OutgoingHttpHeaders;
    reply.raw.writeHead(200, { ...headers, 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    try {
      if (request.method !== 'HEAD') await this.stream(tenant, seconds, reply);
    } finally {
      leave();
      reply.raw.end();
    }
  }

  /** Until the client leaves, does not read, or has had enough time; or the service stops. */
  private stream(tenant: string, seconds: number, { raw }: FastifyReply): Promise<void> {
    return new Promise((resolve) => {
      if (this.moves.stopped || raw.destroyed) return resolve();
      // A client that does not read what it was sent gets nothing more.
      const write = (text: string): void => {
        if (raw.writableNeedDrain) end();
        else raw.write(text);
      };
      const tell = (moves: readonly SeenMove[] | undefined): void =>
        write(moves ? moves.map(eventOf).join('') : 'event: gap\ndata: {}\n\n');
      const beating = setInterval(() => write(': still here\n\n'), HEARTBEAT_MS);
      const ending = setTimeout(() => end(), seconds * 1_000);
      const end = (): void => {
        clearInterval(beating);
        clearTimeout(ending);
        stop();
        resolve();
      };
      const stop = this.moves.listen(tenant, tell, end);
      raw.on('close', end);
      write(': listening\n\n');
    });
  }
}

const eventOf = (move: SeenMove): string => `event: move\ndata: ${JSON.stringify(move)}\n\n`;
