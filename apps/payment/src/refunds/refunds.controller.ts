/** The refunds of a payment over HTTP. */
import { Body, Controller, Get, Param, Post, Query } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { type Caller, CallerOf, PageQuery, Roles } from '@shop/http';
import { type Claim, ClaimOf, Idempotent, type Outcome } from '@shop/idempotency';
import { Database } from '@shop/postgres';
import { Problem } from '@shop/problem';
import { checkPaymentId, paymentNotFound } from '../payments/payment';
import { findPayment } from '../payments/payments.repository';
import { CreateRefund } from './create-refund';
import { RefundBody, refundJson } from './refund';
import { findRefund, listRefunds } from './refunds.repository';

/** `rfd_` and the letters of a hash. */
const REFUND_ID = /^rfd_[\w-]{1,60}$/;

@ApiTags('payments')
@Controller('payments/:id/refunds')
@Roles('operator')
export class RefundsController {
  constructor(
    private readonly database: Database,
    private readonly refunds: CreateRefund,
  ) {}

  @Post()
  @Idempotent({ strategy: 'leased' })
  @ApiOperation({ summary: 'Gives back all or a part of a payment that belongs to no order' })
  @ApiResponse({ status: 201, description: 'the money was given back; with Location' })
  @ApiResponse({ status: 404, description: 'payment_not_found' })
  @ApiResponse({
    status: 409,
    description:
      'refund_exceeds_payment, payment_not_refundable, payment_belongs_to_order, ' +
      'already_submitted (the key was used long ago; see statusUrl)',
  })
  @ApiResponse({ status: 422, description: 'refund_refused by the provider; the refund is kept as failed' })
  @ApiResponse({ status: 503, description: 'outcome_unknown: repeat with the same key after Retry-After' })
  create(
    @CallerOf() { tenant }: Caller,
    @ClaimOf() claim: Claim,
    @Param('id') id: string,
    @Body() { amount }: RefundBody,
  ): Promise<Outcome> {
    return this.refunds.perform(claim, { tenant, paymentId: checkPaymentId(id), amount });
  }

  @Get()
  @ApiOperation({ summary: 'The refunds of a payment, page by page' })
  async list(
    @CallerOf() { tenant }: Caller,
    @Param('id') id: string,
    @Query() { cursor: after = '', limit }: PageQuery,
  ) {
    const paymentId = checkPaymentId(id);
    if (!(await findPayment(this.database, { tenant, id: paymentId }))) throw paymentNotFound();
    const page = await listRefunds(this.database, { tenant, paymentId, after, limit });
    return { items: page.map(refundJson), next: page.length === limit ? page.at(-1)!.id : null };
  }

  @Get(':refundId')
  @ApiOperation({ summary: 'One refund of a payment' })
  async get(@CallerOf() { tenant }: Caller, @Param('id') id: string, @Param('refundId') refundId: string) {
    const refund = REFUND_ID.test(refundId) ? await findRefund(this.database, { tenant, id: refundId }) : undefined;
    if (refund?.paymentId !== id) throw new Problem(404, 'refund_not_found', 'the payment has no refund with this id');
    return refundJson(refund);
  }
}
