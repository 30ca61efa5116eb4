/** The door for events of the payment provider. It is open to everybody: the signature is the key. */
import { Body, Controller, Headers, HttpCode, Post } from '@nestjs/common';
import { ApiBody, ApiHeader, ApiOperation, ApiProperty, ApiSchema, ApiTags } from '@nestjs/swagger';
import { ApiAnswer, Public } from '@shop/http';
import { Idempotent } from '@shop/idempotency';
import { ApiProblems } from '@shop/problem';
import { ReceiveEvent } from './receive-event';

/** Longer than any event: metadata have bounds, and lists inside an object are cut. */
const MAX_EVENT_BYTES = 256 * 1_024;

@ApiSchema({ name: 'EventReceived', description: 'The event need not be sent again.' })
class EventReceivedView {
  @ApiProperty({ enum: [true], type: 'boolean', example: true })
  received: true;
}

@ApiTags('webhooks')
@Controller('webhooks')
export class WebhooksController {
  constructor(private readonly events: ReceiveEvent) {}

  @Post('stripe')
  @Public({ rawBody: { maxBytes: MAX_EVENT_BYTES } })
  @HttpCode(200)
  @Idempotent({ strategy: 'none', reason: 'the id of the event is its key' })
  @ApiOperation({
    operationId: 'receiveStripeEvent',
    summary: 'Takes an event of the payment provider',
    description:
      'Answered when the event is stored, and before it is worked on. Events of other accounts, and of types that nobody ' +
      'needs, are answered alike and not stored.',
    security: [],
  })
  @ApiHeader({
    name: 'Stripe-Signature',
    required: true,
    description: 'the time, and the HMAC of time and body with the secret of the endpoint',
    schema: {
      type: 'string',
      example: 't=1767225600,v1=5257a869e7ecebeda32affa62cdca3fa51cad7e77a0e56ff536d0ce8e108d8bd',
    },
  })
  @ApiBody({
    description: 'an event, as the provider documents it; the signature is over these bytes',
    schema: { type: 'object', example: { id: 'evt_1', object: 'event', type: 'payment_intent.succeeded' } },
  })
  @ApiAnswer(200, EventReceivedView, { description: 'taken, also when it was known or is of no use here' })
  @ApiProblems({ 400: ['signature_invalid'], 404: ['webhooks_not_configured'], 409: ['event_id_reused'] })
  async receive(
    @Body() body: Buffer | undefined,
    @Headers('stripe-signature') signature: string | undefined,
  ): Promise<EventReceivedView> {
    await this.events.receive(body ?? Buffer.alloc(0), signature);
    return { received: true };
  }
}
