/** The routes of the Stripe API that our payment service uses; the real SDK talks to them unchanged. */
import { randomBytes } from 'node:crypto';
import { All, Body, Controller, Get, Headers, Inject, Param, Post, Query, Req, Res, UseFilters } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { Logger } from '@shop/observability';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { FaultPlanner, type Plan } from '../faults/faults';
import { Responder } from '../faults/responder';
import { LOGGER } from '@shop/service';
import type { Answer } from './answer';
import { Books } from './books';
import { fingerprintOf, type Form, readCharge, readRefund } from './form';
import { type PageQuery, pageOf } from './page';
import { matcherOf } from './search';
import { sourceOf } from './sources';
import { invalidParameter, unknownRoute } from './stripe-error';
import { StripeErrorFilter } from './stripe-error.filter';

const INTENTS = '/v1/payment_intents';
const REFUNDS = '/v1/refunds';
const REQUEST_ID_BYTES = 7;
/** Stripe's own limit. */
const MAX_KEY_LENGTH = 255;

interface Write {
  what: 'charge' | 'refund';
  plan: Plan;
  key?: string;
  work: () => Answer;
}

// Not in the OpenAPI document: Stripe describes its API, and answers errors in a form of its own.
@ApiExcludeController()
@Controller('v1')
@UseFilters(StripeErrorFilter)
export class StripeController {
  constructor(
    private readonly books: Books,
    private readonly faults: FaultPlanner,
    private readonly responder: Responder,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  @Post('payment_intents')
  async charge(
    @Body() body: Form | null,
    @Headers('idempotency-key') header: string | undefined,
    @Res() reply: FastifyReply,
  ) {
    const form = body ?? {};
    const key = keyOf(header);
    const charge = readCharge(form);
    // A charge that was already answered has had the fault of its source; only the faults for everybody still apply.
    const source = this.books.hasAnswer(key) ? undefined : sourceOf(charge.source);
    const work = () => this.books.charge({ key, fingerprint: fingerprintOf(INTENTS, form) }, charge);
    const plan = this.faults.plan(source, key);
    await this.write(reply, { what: 'charge', plan, key, work });
  }

  @Get('payment_intents')
  list(@Query() query: PageQuery, @Res() reply: FastifyReply): Promise<void> {
    return this.read(reply, () => pageOf(this.books.intents, query, INTENTS));
  }

  @Get('payment_intents/search')
  search(@Query() query: PageQuery & { query?: string }, @Res() reply: FastifyReply): Promise<void> {
    return this.read(reply, () => {
      const found = this.books.intents.filter(matcherOf(query.query));
      return {
        ...pageOf(found, { limit: query.limit }, `${INTENTS}/search`),
        object: 'search_result',
        next_page: null,
      };
    });
  }

  @Get('payment_intents/:id')
  get(@Param('id') id: string, @Res() reply: FastifyReply): Promise<void> {
    return this.read(reply, () => this.books.intent(id));
  }

  @Post('refunds')
  async refund(
    @Body() body: Form | null,
    @Headers('idempotency-key') header: string | undefined,
    @Res() reply: FastifyReply,
  ) {
    const form = body ?? {};
    const key = keyOf(header);
    const refund = readRefund(form);
    const work = () => this.books.refund({ key, fingerprint: fingerprintOf(REFUNDS, form) }, refund);
    await this.write(reply, { what: 'refund', plan: this.faults.plan(), key, work });
  }

  @Get('refunds')
  listRefunds(@Query() query: PageQuery & { payment_intent?: string }, @Res() reply: FastifyReply): Promise<void> {
    const { payment_intent: intent } = query;
    const { refunds } = this.books;
    const asked = () => (intent === undefined ? refunds : refunds.filter((refund) => refund.payment_intent === intent));
    return this.read(reply, () => pageOf(asked(), query, REFUNDS));
  }

  /** The SDK takes an unknown error body for a success, so unknown routes need Stripe's format too. */
  @All('*')
  unknown(@Req() request: FastifyRequest): never {
    throw unknownRoute(request.method, request.url.split('?')[0]!);
  }

  private async write(reply: FastifyReply, { what, plan, key, work }: Write): Promise<void> {
    identify(reply, key);
    const logged = () => this.logged(what, work(), key);
    await this.responder.send(reply, plan, logged, key);
  }

  private async read(reply: FastifyReply, find: () => object): Promise<void> {
    identify(reply);
    await this.responder.send(reply, this.faults.plan(), () => ({ status: 200, body: find() }));
  }

  private logged(what: Write['what'], answer: Answer, idempotencyKey?: string): Answer {
    const { status, replayed = false, body } = answer;
    const reference = 'error' in body ? body.error.payment_intent?.id : body.id;
    this.logger.info(
      { reference, replayed, idempotencyKey },
      `sandbox.${what}.${status === 200 ? 'succeeded' : 'refused'}`,
    );
    return answer;
  }
}

function identify(reply: FastifyReply, key?: string): void {
  void reply.header('request-id', `req_${randomBytes(REQUEST_ID_BYTES).toString('hex')}`);
  if (key !== undefined) void reply.header('idempotency-key', key);
}

function keyOf(header: string | undefined): string | undefined {
  if (header !== undefined && header.length > MAX_KEY_LENGTH) {
    throw invalidParameter('Idempotency-Key', `Keys have at most ${MAX_KEY_LENGTH} characters.`);
  }
  return header || undefined;
}
