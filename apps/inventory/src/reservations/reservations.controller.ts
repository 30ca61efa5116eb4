/** Reservations over HTTP: pieces are held for a client that has not ordered yet. */
import { Body, Controller, Delete, Get, Headers, HttpCode, Param, Post, Put, Query, Res } from '@nestjs/common';
import { ApiOperation, ApiPropertyOptional, ApiTags } from '@nestjs/swagger';
import {
  ApiAnswer,
  ApiConditionalWrite,
  type Caller,
  CallerOf,
  ConditionalGet,
  etagOf,
  OwnTurns,
  type Page,
  PageOf,
  PageQuery,
  readPage,
  requireMatch,
  requireNone,
  Roles,
  isVisible,
  reachOf,
} from '@shop/http';
import { ApiAlreadySubmitted, type Claim, ClaimOf, httpOutcome, Idempotent, type Outcome } from '@shop/idempotency';
import { ApiProblems, type ProblemCodes } from '@shop/problem';
import { IsIn, IsOptional, IsUUID } from 'class-validator';
import type { FastifyReply } from 'fastify';
import { type ReservationStatus, reservationStatuses } from '../stock/reservation';
import { ApiReservationId, keyFor, NewReservationBody, newKeyFor, reservationIdConflict } from './reservation-request';
import { reservationJson, ReservationView, type ShownReservation } from './reservation.view';
import { claimOfPut } from './reserve-once';
import { ReservationsService } from './reservations.service';

/** Example id for the API document. */
const ID = '01a20621-a6cd-74b9-a1c3-459d717a98c4';

const integer = (example: number) => ({ type: 'integer', example }) as const;
const text = (example: string) => ({ type: 'string', example }) as const;
const listOf = (properties: Record<string, { type: 'integer' | 'string'; example: number | string }>) => ({
  type: 'array',
  items: { type: 'object', properties, required: Object.keys(properties) },
  example: [Object.fromEntries(Object.entries(properties).map(([name, { example }]) => [name, example]))],
});

const refusals: ProblemCodes = {
  409: {
    insufficient_stock: {
      short: listOf({ sku: text('cup'), requested: integer(2), available: integer(1) }),
    },
    customer_limit_reached: {
      limits: listOf({ sku: text('cup'), limit: integer(2), held: integer(2) }),
    },
  },
  422: { customer_required: { skus: { type: 'array', items: { type: 'string' }, example: ['cup'] } } },
};

class ReservationsQuery extends PageQuery {
  @ApiPropertyOptional({ enum: reservationStatuses })
  @IsOptional()
  @IsIn(reservationStatuses)
  status?: ReservationStatus;

  @IsOptional()
  @IsUUID()
  declare cursor?: string;
}

@ApiTags('reservations')
@Controller('reservations')
@Roles('customer', 'operator')
export class ReservationsController {
  constructor(private readonly reservations: ReservationsService) {}

  @Post()
  @OwnTurns()
  @Idempotent({ strategy: 'atomic' })
  @ApiOperation({
    operationId: 'createReservation',
    summary: 'Reserves all lines or none',
    description:
      'The pieces are held until the reservation is given back, its time is over, or an order takes it over with ' +
      '`reservationId`.',
  })
  @ApiAnswer(201, ReservationView, { description: 'reserved', headers: ['location', 'etag', 'idempotent-replayed'] })
  @ApiAlreadySubmitted(`/reservations/${ID}`)
  @ApiProblems(refusals)
  create(@CallerOf() caller: Caller, @ClaimOf() claim: Claim, @Body() body: NewReservationBody): Promise<Outcome> {
    return this.reservations.reserve({ caller, claim, body });
  }

  @Put(':id')
  @OwnTurns()
  @Idempotent({ strategy: 'natural' })
  @ApiOperation({
    operationId: 'putReservation',
    summary: 'Reserves all lines or none, under an id of the client',
    description:
      'The same content again changes nothing and answers the reservation as it is now. An id under which somebody else ' +
      'has reserved is taken, whatever the content. A refused request leaves its id free.',
  })
  @ApiReservationId()
  @ApiConditionalWrite({ creates: true })
  @ApiAnswer(201, ReservationView, { description: 'reserved', headers: ['location', 'etag'] })
  @ApiAnswer(200, ReservationView, {
    description: 'it was made before, by the same request',
    headers: ['location', 'etag'],
  })
  @ApiProblems(refusals)
  @ApiProblems({ 409: ['reservation_id_conflict', 'idempotency_key_in_use'], 410: ['idempotency_key_erased'] })
  async createAs(
    @CallerOf() caller: Caller,
    @Param('id') id: string,
    @Body() body: NewReservationBody,
    @Res({ passthrough: true }) reply: FastifyReply,
    @Headers('if-match') ifMatch?: string,
    @Headers('if-none-match') ifNoneMatch?: string,
  ): Promise<ReservationView | string> {
    const key = newKeyFor(caller, id);
    if (ifMatch !== undefined) requireMatch(ifMatch, (await this.reservations.find(key))?.version);
    const claim = claimOfPut(key.tenant, key.id, body);
    const outcome = await this.reservations.reserve({ caller, claim, body, id: key.id });
    const created = outcome.kind === 'fresh' && outcome.answer.status === 201;
    // A PUT changes nothing if the reservation exists. So these checks may come after it, when it surely is known
    // whether it does. The claim is that of the whole tenant, so its outcome may be that of somebody else's request.
    const before = created ? undefined : await this.reservations.findForAll(key);
    if (before && !isVisible(before, key)) throw reservationIdConflict();
    if (before && ifNoneMatch !== undefined) requireNone(ifNoneMatch, before.version);
    if (outcome.kind === 'reused') throw reservationIdConflict();
    const { status, headers, body: answer } = httpOutcome(outcome);
    if (status >= 400) {
      void reply.status(status).headers(headers);
      return answer;
    }
    const made = before ?? (await this.reservations.get(key));
    void reply
      .status(created ? 201 : 200)
      .headers({ location: `/reservations/${made.id}`, etag: etagOf(made.version) });
    return reservationJson(made);
  }

  @Get()
  @ApiOperation({
    operationId: 'listReservations',
    summary: 'Reservations, newest first, page by page',
    description:
      'Those that you have made. For an operator those of its tenant, whoever made them, and those of orders, too.',
  })
  @ApiAnswer(200, PageOf(ReservationView), { description: 'a page' })
  list(
    @CallerOf() caller: Caller,
    @Query() { status, cursor, limit }: ReservationsQuery,
  ): Promise<Page<ReservationView>> {
    const read = (limit: number) => this.reservations.list({ ...reachOf(caller), status, before: cursor, limit });
    return readPage(limit, read, { item: reservationJson, cursor: ({ id }) => id });
  }

  @Get(':id')
  @ConditionalGet(reservationJson)
  @ApiOperation({
    operationId: 'getReservation',
    summary: 'One reservation',
    description: 'A customer sees only those that its own principal has made; an operator sees all of its tenant.',
  })
  @ApiReservationId()
  @ApiAnswer(200, ReservationView, { description: 'the reservation as it is now', headers: ['etag'] })
  @ApiProblems({ 404: ['reservation_not_found'] })
  get(@CallerOf() caller: Caller, @Param('id') id: string): Promise<ShownReservation> {
    return this.reservations.get(keyFor(caller, id));
  }

  @Delete(':id')
  @HttpCode(204)
  @Idempotent({ strategy: 'natural' })
  @ApiOperation({
    operationId: 'releaseReservation',
    summary: 'Gives the pieces of a reservation back',
    description: 'It may be repeated, and a reservation whose time was over is given back already.',
  })
  @ApiReservationId()
  @ApiConditionalWrite({})
  @ApiAnswer(204, null, { description: 'its pieces are not held any more' })
  @ApiProblems({
    404: ['reservation_not_found'],
    409: ['reservation_confirmed', 'reservation_used', 'reservation_of_order'],
  })
  async release(
    @CallerOf() caller: Caller,
    @Param('id') id: string,
    @Headers('if-match') ifMatch?: string,
  ): Promise<void> {
    await this.reservations.release(keyFor(caller, id), ({ version }) => {
      if (ifMatch !== undefined) requireMatch(ifMatch, version);
    });
  }
}
