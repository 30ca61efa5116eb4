/** Payments over HTTP, for the people who look after the money. */
import { Body, Controller, Get, Headers, Param, Post, Query, Res } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { type Caller, CallerOf, etagOf, pageOf, PageQuery, Roles, unlessModified } from '@shop/http';
import { type Claim, ClaimOf, Idempotent, type Outcome } from '@shop/idempotency';
import { Database } from '@shop/postgres';
import { IsOptional, Matches } from 'class-validator';
import type { FastifyReply } from 'fastify';
import { CreatePayment } from './create-payment';
import { checkPaymentId, PAYMENT_ID, PaymentBody, paymentJson, paymentNotFound } from './payment';
import { findPayment, listPayments } from './payments.repository';

class PaymentsQuery extends PageQuery {
  @IsOptional()
  @Matches(PAYMENT_ID, { message: 'cursor must be `next` of the page before' })
  declare cursor?: string;
}

@ApiTags('payments')
@Controller('payments')
@Roles('operator')
export class PaymentsController {
  constructor(
    private readonly database: Database,
    private readonly payments: CreatePayment,
  ) {}

  @Post()
  @Idempotent({ strategy: 'leased' })
  @ApiOperation({ summary: 'Takes money; a repeat with the same key goes on where the first one ended' })
  @ApiResponse({ status: 201, description: 'the money was taken; with Location and ETag' })
  @ApiResponse({ status: 402, description: 'payment_declined, with the reason; the payment is kept as declined' })
  @ApiResponse({ status: 409, description: 'already_submitted (the key was used long ago; see statusUrl)' })
  @ApiResponse({ status: 503, description: 'outcome_unknown: repeat with the same key after Retry-After' })
  create(
    @CallerOf() { tenant }: Caller,
    @ClaimOf() claim: Claim,
    @Body() { amount, currency, source }: PaymentBody,
  ): Promise<Outcome> {
    return this.payments.perform(claim, { tenant, amount, currency, source });
  }

  @Get()
  @ApiOperation({ summary: 'All payments, page by page' })
  async list(@CallerOf() { tenant }: Caller, @Query() { cursor = '', limit }: PaymentsQuery) {
    const rows = await listPayments(this.database, tenant, cursor, limit + 1);
    return pageOf(rows, limit, { item: paymentJson, cursor: ({ id }) => id });
  }

  @Get(':id')
  @ApiOperation({ summary: 'One payment; 304 for a known ETag' })
  async get(
    @CallerOf() { tenant }: Caller,
    @Param('id') id: string,
    @Res({ passthrough: true }) reply: FastifyReply,
    @Headers('if-none-match') ifNoneMatch?: string,
  ) {
    const payment = await findPayment(this.database, { tenant, id: checkPaymentId(id) });
    if (!payment) throw paymentNotFound();
    const etag = etagOf(payment.version);
    void reply.header('etag', etag);
    if (!unlessModified(ifNoneMatch, etag)) return paymentJson(payment);
    void reply.status(304);
    return undefined;
  }
}
