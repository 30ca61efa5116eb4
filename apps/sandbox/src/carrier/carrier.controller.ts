/** The API of the carrier: it takes a parcel, shows it, brings it back, and prints its label. */
import { Body, Controller, Get, Header, Headers, Param, Post, Query, Req, Res } from '@nestjs/common';
import { ApiHeader, ApiOperation, ApiParam, ApiProperty, ApiResponse, ApiTags } from '@nestjs/swagger';
import { ApiAnswer } from '@shop/http';
import { ApiProblems, Problem } from '@shop/problem';
import { Matches } from 'class-validator';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { problemWords, Responder } from '../faults/responder';
import { originOf } from '../stripe/stripe-door';
import { CarrierBooks } from './carrier-books';
import { CarrierOrigin } from './carrier-origin';
import { CarrierFaults, CarrierRules } from './carrier-settings';
import { labelOf } from './label';
import { objectionTo, type Shipment } from './shipment';
import { REFERENCE, ShipmentRequest } from './shipment-request';
import { shipmentJson, ShipmentListView, ShipmentView } from './shipment.view';

class ShipmentsQuery {
  @ApiProperty({ description: 'of the sender', example: 'dlv_u0cvXt9NcH0r3cRGqAAAJ2fB' })
  @Matches(REFERENCE)
  reference: string;
}

const details = {
  address_missing: [422, 'a parcel that is brought needs a recipient'],
  not_served: [422, 'nothing goes to this country'],
  key_reused: [409, 'the key belongs to another request'],
  reference_taken: [409, 'the reference belongs to another request'],
} satisfies Record<string, [status: number, detail: string]>;

const refusal = (code: keyof typeof details): Problem => new Problem(details[code][0], code, details[code][1]);

const ApiShipmentId = () => ApiParam({ name: 'id', example: 'shp_3f0c9d' });

@ApiTags('carrier')
@Controller('carrier/v1/shipments')
export class CarrierController {
  constructor(
    private readonly books: CarrierBooks,
    private readonly faults: CarrierFaults,
    private readonly rules: CarrierRules,
    private readonly origin: CarrierOrigin,
    private readonly responder: Responder,
  ) {}

  @Post()
  @ApiOperation({
    operationId: 'takeShipment',
    summary: 'Takes a parcel',
    description: 'Once for each reference. A repeat with the same key gets the same shipment.',
  })
  @ApiHeader({
    name: 'Idempotency-Key',
    required: false,
    schema: { type: 'string', example: 'dlv_u0cvXt9NcH0r3cRGqAAAJ2fB' },
  })
  @ApiAnswer(201, ShipmentView, { description: 'taken; 200 for a repeat' })
  @ApiProblems({
    401: ['unauthenticated'],
    409: ['key_reused', 'reference_taken'],
    422: ['address_missing', 'not_served'],
  })
  take(
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
    @Body() asked: ShipmentRequest,
    @Headers('idempotency-key') key: string | undefined,
  ): Promise<void> {
    return this.answer(request, reply, () => {
      const objection = objectionTo(asked);
      if (objection) throw refusal(objection);
      const taken = this.books.take(asked, key);
      if (!('shipment' in taken)) throw refusal(taken.outcome);
      return { status: taken.outcome === 'taken' ? 201 : 200, body: this.shown(taken.shipment) };
    });
  }

  @Get()
  @ApiOperation({
    operationId: 'findShipments',
    summary: 'The shipment of a reference',
    description: 'None, or one.',
  })
  @ApiAnswer(200, ShipmentListView, { description: 'as it is now' })
  @ApiProblems({ 401: ['unauthenticated'] })
  find(
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
    @Query() { reference }: ShipmentsQuery,
  ): Promise<void> {
    return this.answer(request, reply, () => {
      const shipment = this.books.findReference(reference);
      return { status: 200, body: { items: shipment ? [this.shown(shipment)] : [] } };
    });
  }

  @Get(':id')
  @ApiOperation({ operationId: 'getShipment', summary: 'One shipment', description: 'As it is now.' })
  @ApiShipmentId()
  @ApiAnswer(200, ShipmentView, { description: 'the shipment' })
  @ApiProblems({ 401: ['unauthenticated'], 404: ['shipment_not_found'] })
  get(@Req() request: FastifyRequest, @Res() reply: FastifyReply, @Param('id') id: string): Promise<void> {
    return this.answer(request, reply, () => ({ status: 200, body: this.shown(this.known(id)) }));
  }

  @Post(':id/recall')
  @ApiOperation({
    operationId: 'recallShipment',
    summary: 'Brings a shipment back',
    description: 'As long as it has not arrived. Once more, it is brought back already.',
  })
  @ApiShipmentId()
  @ApiAnswer(200, ShipmentView, { description: 'it comes back' })
  @ApiProblems({ 401: ['unauthenticated'], 404: ['shipment_not_found'], 409: ['not_recallable'] })
  recall(@Req() request: FastifyRequest, @Res() reply: FastifyReply, @Param('id') id: string): Promise<void> {
    return this.answer(request, reply, () => {
      const { status } = this.known(id);
      const isRefused = this.rules.current().refuseRecalls && status !== 'recalled';
      const recalled = isRefused ? undefined : this.books.move(id, 'recalled');
      if (!recalled) throw new Problem(409, 'not_recallable', 'it is not brought back any more');
      return { status: 200, body: this.shown(recalled) };
    });
  }

  @Get(':id/label')
  @Header('content-type', 'image/svg+xml')
  @Header('content-security-policy', "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'")
  @ApiOperation({
    operationId: 'getLabel',
    summary: 'The label of a shipment, as a picture',
    description: 'Open to whoever knows its address, so that it can be printed from a browser.',
  })
  @ApiShipmentId()
  @ApiResponse({
    status: 200,
    description: 'the label',
    content: {
      'image/svg+xml': { schema: { type: 'string' }, example: '<svg xmlns="http://www.w3.org/2000/svg">…</svg>' },
    },
  })
  @ApiProblems({ 404: ['shipment_not_found'] })
  label(@Param('id') id: string): string {
    return labelOf(this.known(id));
  }

  private shown(shipment: Shipment): ShipmentView {
    return shipmentJson(shipment, this.origin.current());
  }

  private known(id: string): Shipment {
    const shipment = this.books.find(id);
    if (!shipment) throw new Problem(404, 'shipment_not_found', 'there is no such shipment');
    return shipment;
  }

  private answer(
    request: FastifyRequest,
    reply: FastifyReply,
    work: () => { status: number; body: object },
  ): Promise<void> {
    if (!/^Bearer \S/.test(request.headers.authorization ?? '')) {
      throw new Problem(401, 'unauthenticated', 'show your key');
    }
    this.origin.see(originOf(request));
    return this.responder.send(reply, this.faults.plan(), work, { words: problemWords });
  }
}
