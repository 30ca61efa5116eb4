/** Payments over HTTP, for operators. */
import { Body, Controller, Get, Param, Post, Query } from '@nestjs/common';
import { ApiOperation, ApiParam, ApiPropertyOptional, ApiTags } from '@nestjs/swagger';
import {
  ApiAnswer,
  type Caller,
  CallerOf,
  OwnTurns,
  ConditionalGet,
  type Page,
  PageOf,
  PageQuery,
  readPage,
  Roles,
} from '@shop/http';
import { PAYMENT_ID } from '@shop/contracts';
import { ApiAlreadySubmitted, type Claim, ClaimOf, Idempotent, type Outcome } from '@shop/idempotency';
import { ApiProblems, type ProblemMembers } from '@shop/problem';
import { IsOptional, IsUUID, Matches } from 'class-validator';
import { CreatePayment } from './create-payment';
import { notPayable, chargeableProblem, type Payment, PaymentBody } from './payment';
import { paymentJson, PaymentView } from './payment.view';
import { PaymentsService } from './payments.service';

const REFERENCE = /^[\w-]{1,200}$/;

class PaymentsQuery extends PageQuery {
  @IsOptional()
  @Matches(PAYMENT_ID, { message: 'cursor must be `next` of the page before' })
  declare cursor?: string;

  @ApiPropertyOptional({ format: 'uuid', description: 'only the payments of this order' })
  @IsOptional()
  @IsUUID()
  orderId?: string;

  @ApiPropertyOptional({
    description: 'only those that the provider calls so, or one of whose refunds it calls so',
    example: 'pi_3MtwBwLkdIwHu7ix28a3tqPa',
  })
  @IsOptional()
  @Matches(REFERENCE, { message: 'reference must be what the provider calls a payment or a refund' })
  reference?: string;
}

/** The problem of a payment that is kept as declined. */
const declined: ProblemMembers = {
  reason: { type: 'string', nullable: true, description: 'the reason of the provider', example: 'insufficient_funds' },
  paymentId: { type: 'string', example: 'pmt_u0cvXt9NcH0r3cRGqAAAJ2fBYvM' },
  statusUrl: { type: 'string', example: '/payments/pmt_u0cvXt9NcH0r3cRGqAAAJ2fBYvM' },
};

@ApiTags('payments')
@Controller('payments')
@Roles('operator')
export class PaymentsController {
  constructor(
    private readonly payments: PaymentsService,
    private readonly createPayment: CreatePayment,
  ) {}

  @Post()
  @OwnTurns()
  @Idempotent({ strategy: 'leased' })
  @ApiOperation({
    operationId: 'createPayment',
    summary: 'Takes money that belongs to no order',
    description: 'A repeat with the same key goes on where the first one ended, and never charges twice.',
  })
  @ApiAnswer(201, PaymentView, { description: 'taken', headers: ['location', 'etag', 'idempotent-replayed'] })
  @ApiAnswer(202, PaymentView, {
    description: 'it waits for the customer (`nextAction`) or for a bank; its status URL tells what becomes of it',
    headers: ['location', 'etag', 'idempotent-replayed'],
  })
  @ApiAlreadySubmitted('/payments/pmt_u0cvXt9NcH0r3cRGqAAAJ2fBYvM')
  @ApiProblems({ 402: { payment_declined: declined }, 422: [...notPayable, 'amount_too_small'] })
  create(
    @CallerOf() { tenant }: Caller,
    @ClaimOf() claim: Claim,
    @Body() { amount, currency, source, capture = 'automatic' }: PaymentBody,
  ): Promise<Outcome> {
    const problem = chargeableProblem({ amount, currency });
    if (problem) throw problem;
    return this.createPayment.perform(claim, { tenant, amount, currency, source, capture });
  }

  @Get()
  @ApiOperation({
    operationId: 'listPayments',
    summary: 'All payments, page by page',
    description: 'The payments of your tenant, or of one order or one reference of it, in order of their ids.',
  })
  @ApiAnswer(200, PageOf(PaymentView), { description: 'a page' })
  list(
    @CallerOf() { tenant }: Caller,
    @Query() { cursor: after = '', limit, orderId, reference }: PaymentsQuery,
  ): Promise<Page<PaymentView>> {
    const read = (limit: number) => this.payments.list({ tenant, orderId, reference, after, limit });
    return readPage(limit, read, { item: paymentJson, cursor: ({ id }) => id });
  }

  @Get(':id')
  @ConditionalGet(paymentJson)
  @ApiOperation({
    operationId: 'getPayment',
    summary: 'One payment',
    description: 'What became of it, and how much of it was given back.',
  })
  @ApiParam({ name: 'id', example: 'pmt_u0cvXt9NcH0r3cRGqAAAJ2fBYvM' })
  @ApiAnswer(200, PaymentView, { description: 'the payment as it is now', headers: ['etag'] })
  @ApiProblems({ 404: ['payment_not_found'] })
  get(@CallerOf() { tenant }: Caller, @Param('id') id: string): Promise<Payment> {
    return this.payments.get(tenant, id);
  }
}
