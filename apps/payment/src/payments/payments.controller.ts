/** Payments over HTTP, for the people who look after the money. */
import { Controller, Get, Headers, Param, Query, Res } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { type Caller, CallerOf, etagOf, pageOf, PageQuery, Roles, unlessModified } from '@shop/http';
import { Database } from '@shop/postgres';
import { Problem } from '@shop/problem';
import { IsOptional, Matches } from 'class-validator';
import type { FastifyReply } from 'fastify';
import type { Payment } from './payment';
import { findPayment, listPayments } from './payments.repository';

/** `pmt_` and the letters of a hash. */
const PAYMENT_ID = /^pmt_[\w-]{1,60}$/;

class PaymentsQuery extends PageQuery {
  @IsOptional()
  @Matches(PAYMENT_ID, { message: 'cursor must be `next` of the page before' })
  declare cursor?: string;
}

@ApiTags('payments')
@Controller('payments')
@Roles('operator')
export class PaymentsController {
  constructor(private readonly database: Database) {}

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
    const payment = PAYMENT_ID.test(id) ? await findPayment(this.database, { tenant, id }) : undefined;
    if (!payment) throw new Problem(404, 'payment_not_found', 'there is no payment with this id');
    const etag = etagOf(payment.version);
    void reply.header('etag', etag);
    if (!unlessModified(ifNoneMatch, etag)) return paymentJson(payment);
    void reply.status(304);
    return undefined;
  }
}

/** Without the source: it is the provider's token for somebody's card. */
function paymentJson({ tenant: _tenant, source: _source, version: _version, ...seen }: Payment) {
  return seen;
}
