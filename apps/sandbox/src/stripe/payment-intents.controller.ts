/** Stripe's routes of payment intents; the real SDK talks to them unchanged. */
import { Body, Controller, Get, Inject, Param, Post, Query, Res, UseFilters } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { Settings } from '../settings';
import { Books } from './books';
import type { Form } from './form';
import { Intents, type PageUrl } from './intents';
import { type PageQuery, pageOf } from './page';
import { readCancellation, readCapture, readConfirmation, readIntent } from './requests';
import { matcherOf } from './search';
import { sourceOf } from './sources';
import { originOf, StripeDoor } from './stripe-door';
import { StripeErrorFilter } from './stripe-error.filter';

const INTENTS = '/v1/payment_intents';

/** Where browsers find the sandbox; without it, where the caller has found it. */
export const PUBLIC_URL = Symbol('PUBLIC_URL');

// Not in the OpenAPI document: Stripe describes its API, and answers errors in a form of its own.
@ApiExcludeController()
@Controller('v1/payment_intents')
@UseFilters(StripeErrorFilter)
export class PaymentIntentsController {
  constructor(
    private readonly books: Books,
    private readonly intents: Intents,
    private readonly door: StripeDoor,
    private readonly settings: Settings,
    @Inject(PUBLIC_URL) private readonly publicUrl: string | undefined,
  ) {}

  @Post()
  async create(@Body() body: Form | null, @Res() reply: FastifyReply): Promise<void> {
    const form = body ?? {};
    const asked = readIntent(form);
    const source = asked.confirmation && sourceOf(asked.form.source ?? '');
    const pageUrl = this.pageUrl(reply);
    await this.door.write(reply, {
      what: 'create',
      form,
      source,
      work: (call) => this.intents.create(call, asked, pageUrl),
    });
  }

  @Post(':id/confirm')
  async confirm(@Param('id') id: string, @Body() body: Form | null, @Res() reply: FastifyReply): Promise<void> {
    const form = body ?? {};
    const confirmation = readConfirmation(form);
    const token = confirmation.source ?? this.books.intents.find(id)?.payment_method;
    const pageUrl = this.pageUrl(reply);
    await this.door.write(reply, {
      what: 'confirm',
      form,
      source: sourceOf(token ?? ''),
      // Callers may come again with another key, because the intent takes the money once.
      attempted: id,
      work: (call) => this.intents.confirm(call, id, confirmation, pageUrl),
    });
  }

  @Post(':id/capture')
  async capture(@Param('id') id: string, @Body() body: Form | null, @Res() reply: FastifyReply): Promise<void> {
    const form = body ?? {};
    const captured = readCapture(form);
    await this.door.write(reply, { what: 'capture', form, work: (call) => this.intents.capture(call, id, captured) });
  }

  @Post(':id/cancel')
  async cancel(@Param('id') id: string, @Body() body: Form | null, @Res() reply: FastifyReply): Promise<void> {
    const form = body ?? {};
    const reason = readCancellation(form);
    await this.door.write(reply, { what: 'cancel', form, work: (call) => this.intents.cancel(call, id, reason) });
  }

  @Get()
  list(@Query() query: PageQuery, @Res() reply: FastifyReply): Promise<void> {
    return this.door.read(reply, () => pageOf(this.books.intents.all(), query, INTENTS));
  }

  @Get('search')
  search(@Query() query: PageQuery & { query?: string }, @Res() reply: FastifyReply): Promise<void> {
    return this.door.read(reply, () => {
      const matches = matcherOf(query.query);
      const found = this.books.intents.all().filter((intent) => matches(intent) && this.isSearchable(intent.id));
      return {
        ...pageOf(found, { limit: query.limit }, `${INTENTS}/search`),
        object: 'search_result',
        next_page: null,
      };
    });
  }

  @Get(':id')
  get(@Param('id') id: string, @Res() reply: FastifyReply): Promise<void> {
    return this.door.read(reply, () => this.books.intents.get(id, 'intent'));
  }

  /** The search of Stripe learns of new intents later than everybody else. */
  private isSearchable(id: string): boolean {
    const atMs = this.books.firstCallOf(id)?.atMs ?? 0;
    return atMs + this.settings.current().searchLagMs <= this.books.world.nowMs();
  }

  private pageUrl(reply: FastifyReply): PageUrl {
    const origin = this.publicUrl ?? originOf(reply.request);
    return (id) => `${origin}/3ds/${id}`;
  }
}
