/** The door for events of the carrier. It is open to everybody: the signature is the key. */
import { Body, Controller, Headers, HttpCode, Post } from '@nestjs/common';
import { ApiBody, ApiHeader, ApiOperation, ApiProperty, ApiSchema, ApiTags } from '@nestjs/swagger';
import { ApiAnswer, Public } from '@shop/http';
import { Idempotent } from '@shop/idempotency';
import { ApiProblems } from '@shop/problem';
import { ReceiveCarrierEvent } from './receive-carrier-event';

/** Longer than any event about one shipment. */
const MAX_EVENT_BYTES = 64 * 1_024;

@ApiSchema({ name: 'CarrierEventReceived', description: 'The event need not be sent again.' })
class CarrierEventReceivedView {
  @ApiProperty({ enum: [true], type: 'boolean', example: true })
  received: true;
}

@ApiTags('webhooks')
@Controller('webhooks')
export class CarrierWebhooksController {
  constructor(private readonly events: ReceiveCarrierEvent) {}

  @Post('carrier')
  @Public({ rawBody: { maxBytes: MAX_EVENT_BYTES } })
  @HttpCode(200)
  @Idempotent({ strategy: 'none', reason: 'the id of the event is its key' })
  @ApiOperation({
    operationId: 'receiveCarrierEvent',
    summary: 'Takes an event of the carrier',
    description: 'It moves the delivery at once. An event of a shipment that is not known here is answered alike.',
    security: [],
  })
  @ApiHeader({
    name: 'Carrier-Signature',
    required: true,
    description: 'the time, and the HMAC-SHA256 of time, a dot and body with a secret that only the carrier has',
    schema: {
      type: 'string',
      example: 't=1767225600,v1=5257a869e7ecebeda32affa62cdca3fa51cad7e77a0e56ff536d0ce8e108d8bd',
    },
  })
  @ApiBody({
    description: 'an event about a shipment; the signature is over these bytes',
    schema: {
      type: 'object',
      example: {
        id: 'evt_3f0c9d',
        type: 'shipment.delivered',
        data: { shipment: { id: 'shp_3f0c9d', reference: 'dlv_u0cvXt9NcH0r3cRGqAAAJ2fBYvM', status: 'delivered' } },
      },
    },
  })
  @ApiAnswer(200, CarrierEventReceivedView, { description: 'taken, also when it was known or is of no use here' })
  @ApiProblems({ 400: ['signature_invalid'], 404: ['webhooks_not_configured'], 409: ['event_id_reused'] })
  async receive(
    @Body() body: Buffer | undefined,
    @Headers('carrier-signature') signature: string | undefined,
  ): Promise<CarrierEventReceivedView> {
    await this.events.receive(body ?? Buffer.alloc(0), signature);
    return { received: true };
  }
}
