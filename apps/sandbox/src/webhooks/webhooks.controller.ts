/** The admin routes of webhooks: where events go, how badly, and once more. */
import { Body, Controller, Delete, Get, HttpCode, Param, Post, Put } from '@nestjs/common';
import { ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import { ApiAnswer } from '@shop/http';
import { ApiProblems, Problem } from '@shop/problem';
import { Books } from '../stripe/books';
import { WebhookSender } from './webhook-sender';
import { WebhookSettings, webhookView, WebhookView } from './webhook-settings';

@ApiTags('admin')
@Controller('admin')
export class WebhooksController {
  constructor(
    private readonly sender: WebhookSender,
    private readonly books: Books,
  ) {}

  @Get('webhooks')
  @ApiOperation({
    operationId: 'getWebhooks',
    summary: 'Where the provider sends its events',
    description: 'Without the secret that signs them.',
  })
  @ApiAnswer(200, WebhookView, { description: 'the settings as they are now' })
  @ApiProblems({ 404: ['webhooks_off'] })
  getWebhooks(): WebhookView {
    return webhookView(this.sender.current());
  }

  @Put('webhooks')
  @ApiOperation({
    operationId: 'setWebhooks',
    summary: 'Sends the events of from now on to this address',
    description: 'They may come late, more than once, in another order, or not at all. What is left out is off.',
  })
  @ApiAnswer(200, WebhookView, { description: 'the settings as they are now' })
  putWebhooks(@Body() settings: WebhookSettings): WebhookView {
    this.sender.use(settings);
    return this.getWebhooks();
  }

  @Delete('webhooks')
  @HttpCode(204)
  @ApiOperation({
    operationId: 'resetWebhooks',
    summary: 'Sends events where they went at the start, or nowhere',
    description: 'As the environment says.',
  })
  @ApiAnswer(204, null, { description: 'as at the start' })
  deleteWebhooks(): void {
    this.sender.reset();
  }

  @Post('events/:id/resend')
  @HttpCode(204)
  @ApiOperation({
    operationId: 'resendEvent',
    summary: 'Sends an event once more',
    description: 'As it was when it happened.',
  })
  @ApiParam({ name: 'id', example: 'evt_3f0c9d' })
  @ApiAnswer(204, null, { description: 'it is on its way' })
  @ApiProblems({ 404: ['not_found'], 409: ['webhooks_off'] })
  resend(@Param('id') id: string): void {
    const event = this.books.events.find(id);
    if (!event) throw new Problem(404, 'not_found', `there is no event ${id}`);
    if (!this.sender.send(event)) throw new Problem(409, 'webhooks_off', 'events are sent nowhere');
  }
}
