/** The refunds of a payment over HTTP. */
import { Body, Controller, Get, Param, Post, Query } from '@nestjs/common';
import { ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import { ApiAnswer, type Caller, CallerOf, OwnTurns, type Page, PageOf, PageQuery, readPage, Roles } from '@shop/http';
import { ApiAlreadySubmitted, type Claim, ClaimOf, Idempotent, type Outcome } from '@shop/idempotency';
import { ApiProblems, type ProblemCodes } from '@shop/problem';
import { checkPaymentId, notPayable } from '../payments/payment';
import { PaymentsService } from '../payments/payments.service';
import { CreateRefund } from './create-refund';
import { RefundBody } from './refund';
import { refundJson, RefundView } from './refund.view';
import { RefundsService } from './refunds.service';

/** Example ids for the API document. */
const PAYMENT = 'pmt_u0cvXt9NcH0r3cRGqAAAJ2fBYvM';
const REFUND = 'rfd_Zl0hCg4y1mPpYvHnR1xk7Jd2sQw';

const refusals: ProblemCodes = {
  404: ['payment_not_found'],
  409: {
    refund_exceeds_payment: {
      refundable: { type: 'integer', description: 'what is left, in minor units', example: 1_000 },
    },
    payment_not_refundable: {},
    payment_belongs_to_order: { orderId: { type: 'string', example: '01a20621-a6cd-74b9-a1c3-459d717a98c4' } },
  },
  // The refund is kept as failed.
  422: {
    refund_refused: {
      refundId: { type: 'string', example: REFUND },
      statusUrl: { type: 'string', example: `/payments/${PAYMENT}/refunds/${REFUND}` },
    },
    // No refund is made for these.
    ...Object.fromEntries(notPayable.map((code) => [code, {}])),
  },
};

@ApiTags('payments')
@ApiParam({ name: 'id', description: 'of the payment', example: PAYMENT })
@Controller('payments/:id/refunds')
@Roles('operator')
export class RefundsController {
  constructor(
    private readonly payments: PaymentsService,
    private readonly refunds: RefundsService,
    private readonly createRefund: CreateRefund,
  ) {}

  @Post()
  @OwnTurns()
  @Idempotent({ strategy: 'leased' })
  @ApiOperation({
    operationId: 'createRefund',
    summary: 'Gives back all or a part of a payment that belongs to no order',
    description:
      'A repeat with the same key goes on where the first one ended, and never gives back twice. ' +
      'The payment of an order may be given back so only if a refund of it has failed.',
  })
  @ApiAnswer(201, RefundView, { description: 'given back', headers: ['location', 'idempotent-replayed'] })
  @ApiAnswer(202, RefundView, {
    description: 'accepted, and the bank has not answered; its status URL tells what becomes of it',
    headers: ['location', 'idempotent-replayed'],
  })
  @ApiAlreadySubmitted(`/payments/${PAYMENT}/refunds/${REFUND}`)
  @ApiProblems(refusals)
  create(
    @CallerOf() { tenant }: Caller,
    @ClaimOf() claim: Claim,
    @Param('id') id: string,
    @Body() { amount }: RefundBody,
  ): Promise<Outcome> {
    return this.createRefund.perform(claim, { tenant, paymentId: checkPaymentId(id), amount });
  }

  @Get()
  @ApiOperation({
    operationId: 'listRefunds',
    summary: 'The refunds of a payment, page by page',
    description: 'Those that succeeded, and those that did not.',
  })
  @ApiAnswer(200, PageOf(RefundView), { description: 'a page' })
  @ApiProblems({ 404: ['payment_not_found'] })
  async list(
    @CallerOf() { tenant }: Caller,
    @Param('id') id: string,
    @Query() { cursor: after = '', limit }: PageQuery,
  ): Promise<Page<RefundView>> {
    const { id: paymentId } = await this.payments.get(tenant, id);
    const read = (limit: number) => this.refunds.list({ tenant, paymentId, after, limit });
    return readPage(limit, read, { item: refundJson, cursor: ({ id }) => id });
  }

  @Get(':refundId')
  @ApiOperation({
    operationId: 'getRefund',
    summary: 'One refund of a payment',
    description: 'What became of it.',
  })
  @ApiParam({ name: 'refundId', example: REFUND })
  @ApiAnswer(200, RefundView, { description: 'the refund as it is now' })
  @ApiProblems({ 404: ['refund_not_found'] })
  async get(
    @CallerOf() { tenant }: Caller,
    @Param('id') id: string,
    @Param('refundId') refundId: string,
  ): Promise<RefundView> {
    return refundJson(await this.refunds.get(tenant, id, refundId));
  }
}
