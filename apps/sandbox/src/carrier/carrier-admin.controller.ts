/** The admin routes of the carrier: what goes wrong, what it does by itself, what it has, and what happens to a parcel. */
import { Body, Controller, Delete, Get, HttpCode, Param, Post, Put } from '@nestjs/common';
import { ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import { ApiAnswer } from '@shop/http';
import { ApiProblems, Problem } from '@shop/problem';
import { checkRates, FaultSettings } from '../faults/faults';
import { WebhookSettings, webhookView, WebhookView } from '../webhooks/webhook-settings';
import { CarrierBooks } from './carrier-books';
import { CarrierOrigin } from './carrier-origin';
import { CarrierFaults, CarrierRules, CarrierSettings } from './carrier-settings';
import { CarrierWebhooks } from './carrier-webhooks';
import { shipmentJson, ShipmentsView, ShipmentView } from './shipment.view';

@ApiTags('admin')
@Controller('admin')
export class CarrierAdminController {
  constructor(
    private readonly books: CarrierBooks,
    private readonly faults: CarrierFaults,
    private readonly rules: CarrierRules,
    private readonly webhooks: CarrierWebhooks,
    private readonly origin: CarrierOrigin,
  ) {}

  @Get('carrier-faults')
  @ApiOperation({
    operationId: 'getCarrierFaults',
    summary: 'The faults that the carrier shows',
    description: 'Shares of requests, and times to wait.',
  })
  @ApiAnswer(200, FaultSettings, { description: 'the faults as they are now' })
  getFaults(): FaultSettings {
    return this.faults.current();
  }

  @Put('carrier-faults')
  @ApiOperation({
    operationId: 'setCarrierFaults',
    summary: 'Sets all faults of the carrier anew; what is left out is off',
    description: 'Shares are of the same requests, so together they are at most 1.',
  })
  @ApiAnswer(200, FaultSettings, { description: 'the faults as they are now' })
  putFaults(@Body() settings: FaultSettings): FaultSettings {
    checkRates(settings);
    this.faults.use(settings);
    return this.faults.current();
  }

  @Delete('carrier-faults')
  @HttpCode(204)
  @ApiOperation({
    operationId: 'clearCarrierFaults',
    summary: 'Turns all faults of the carrier off',
    description: 'From now on everything goes well.',
  })
  @ApiAnswer(204, null, { description: 'off' })
  deleteFaults(): void {
    this.faults.use(new FaultSettings());
  }

  @Get('carrier-settings')
  @ApiOperation({
    operationId: 'getCarrierSettings',
    summary: 'What the carrier does by itself',
    description: 'How long it takes, and whether it brings anything back.',
  })
  @ApiAnswer(200, CarrierSettings, { description: 'the settings as they are now' })
  getSettings(): CarrierSettings {
    return this.rules.current();
  }

  @Put('carrier-settings')
  @ApiOperation({
    operationId: 'setCarrierSettings',
    summary: 'Sets what the carrier does by itself; what is left out is as usual',
    description: 'Also for what it has already.',
  })
  @ApiAnswer(200, CarrierSettings, { description: 'the settings as they are now' })
  putSettings(@Body() settings: CarrierSettings): CarrierSettings {
    this.rules.use(settings);
    return this.rules.current();
  }

  @Get('carrier-webhooks')
  @ApiOperation({
    operationId: 'getCarrierWebhooks',
    summary: 'Where the carrier sends its events',
    description: 'Without the secret that signs them.',
  })
  @ApiAnswer(200, WebhookView, { description: 'the settings as they are now' })
  @ApiProblems({ 404: ['webhooks_off'] })
  getWebhooks(): WebhookView {
    return webhookView(this.webhooks.current());
  }

  @Put('carrier-webhooks')
  @ApiOperation({
    operationId: 'setCarrierWebhooks',
    summary: 'Sends the events of the carrier from now on to this address',
    description: 'They may come late, more than once, in another order, or not at all. What is left out is off.',
  })
  @ApiAnswer(200, WebhookView, { description: 'the settings as they are now' })
  putWebhooks(@Body() settings: WebhookSettings): WebhookView {
    this.webhooks.use(settings);
    return this.getWebhooks();
  }

  @Delete('carrier-webhooks')
  @HttpCode(204)
  @ApiOperation({
    operationId: 'resetCarrierWebhooks',
    summary: 'Sends events of the carrier where they went at the start, or nowhere',
    description: 'As the environment says.',
  })
  @ApiAnswer(204, null, { description: 'as at the start' })
  deleteWebhooks(): void {
    this.webhooks.reset();
  }

  @Get('shipments')
  @ApiOperation({
    operationId: 'listShipments',
    summary: 'Every parcel that the carrier has taken, oldest first',
    description: 'What a person would see at the carrier, without the recipients.',
  })
  @ApiAnswer(200, ShipmentsView, { description: 'all of them' })
  getShipments(): ShipmentsView {
    return { shipments: this.books.all().map((shipment) => shipmentJson(shipment, this.origin.current())) };
  }

  @Post('shipments/:id/deliver')
  @HttpCode(200)
  @ApiOperation({
    operationId: 'deliverShipment',
    summary: 'Brings a parcel to its recipient now',
    description: 'Unless it comes back.',
  })
  @ApiParam({ name: 'id', example: 'shp_3f0c9d' })
  @ApiAnswer(200, ShipmentView, { description: 'the shipment as it is now' })
  @ApiProblems({ 404: ['not_found'], 409: ['unexpected_state'] })
  deliver(@Param('id') id: string): ShipmentView {
    if (!this.books.find(id)) throw new Problem(404, 'not_found', `there is no shipment ${id}`);
    const delivered = this.books.move(id, 'delivered');
    if (!delivered) throw new Problem(409, 'unexpected_state', 'it is on its way back');
    return shipmentJson(delivered, this.origin.current());
  }

  @Delete('shipment-keys')
  @HttpCode(204)
  @ApiOperation({
    operationId: 'forgetShipmentKeys',
    summary: 'The carrier forgets all idempotency keys, and keeps the parcels',
    description: 'As a day later: a request with a known key is carried out again, if its reference is new.',
  })
  @ApiAnswer(204, null, { description: 'forgotten' })
  deleteKeys(): void {
    this.books.forgetKeys();
  }

  @Delete('shipments')
  @HttpCode(204)
  @ApiOperation({
    operationId: 'clearShipments',
    summary: 'Empties the books of the carrier',
    description: 'As if nobody had ever sent anything.',
  })
  @ApiAnswer(204, null, { description: 'empty' })
  deleteShipments(): void {
    this.books.clear();
  }
}
