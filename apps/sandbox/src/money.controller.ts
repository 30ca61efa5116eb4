/** The admin routes of what banks do with money: disputes and payouts. */
import { Body, Controller, HttpCode, Param, Post } from '@nestjs/common';
import { ApiOperation, ApiParam, ApiProperty, ApiPropertyOptional, ApiTags } from '@nestjs/swagger';
import { ApiAnswer } from '@shop/http';
import { ApiProblems, Problem } from '@shop/problem';
import { IsIn, IsInt, IsOptional, Matches, Max, Min } from 'class-validator';
import { OutcomeView } from './outcome.view';
import { Books } from './stripe/books';
import { type DisputeReason, disputeReasons } from './stripe/dispute';
import { Disputes } from './stripe/disputes';
import { Payouts } from './stripe/payouts';

/** Eight digits. */
const MAX_AMOUNT = 99_999_999;

class DisputeRequest {
  @ApiPropertyOptional({ type: 'integer', description: 'in the units of Stripe; without it, what was not refunded' })
  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(MAX_AMOUNT)
  amount?: number;
  @ApiPropertyOptional({ enum: disputeReasons })
  @IsIn(disputeReasons)
  reason: DisputeReason = 'fraudulent';
}

class DisputeEnd {
  @ApiProperty({ enum: ['won', 'lost'], description: 'for the merchant' })
  @IsIn(['won', 'lost'])
  status: 'won' | 'lost';
}

class PayoutRequest {
  @ApiPropertyOptional({ description: 'ISO 4217, in small letters', example: 'eur' })
  @Matches(/^[a-z]{3}$/, { message: 'must be three small letters' })
  currency: string = 'usd';
}

@ApiTags('admin')
@Controller('admin')
export class MoneyController {
  constructor(
    private readonly books: Books,
    private readonly disputes: Disputes,
    private readonly payouts: Payouts,
  ) {}

  @Post('charges/:id/disputes')
  @HttpCode(200)
  @ApiOperation({
    operationId: 'openDispute',
    summary: 'The customer complains to the bank',
    description: 'The bank takes the money back. What is disputed cannot be refunded.',
  })
  @ApiParam({ name: 'id', description: 'of the payment intent', example: 'pi_3f0c9d' })
  @ApiAnswer(200, OutcomeView, { description: 'the dispute' })
  @ApiProblems({ 404: ['not_found'], 409: ['not_disputable'] })
  openDispute(@Param('id') id: string, @Body() asked: DisputeRequest): OutcomeView {
    const intent = this.books.intents.find(id);
    const charge = this.books.charges.find(intent?.latest_charge ?? '');
    if (!charge) throw new Problem(404, 'not_found', `there is no charge of an intent ${id}`);
    const dispute = this.disputes.open(charge, asked);
    if (!dispute) throw new Problem(409, 'not_disputable', 'so much is not there, or it is disputed already');
    return viewOf(dispute);
  }

  @Post('disputes/:id/close')
  @HttpCode(200)
  @ApiOperation({
    operationId: 'closeDispute',
    summary: 'The bank decides a dispute',
    description: 'When the merchant has won, the money comes back.',
  })
  @ApiParam({ name: 'id', example: 'dp_3f0c9d' })
  @ApiAnswer(200, OutcomeView, { description: 'the dispute' })
  @ApiProblems({ 404: ['not_found'], 409: ['unexpected_state'] })
  closeDispute(@Param('id') id: string, @Body() { status }: DisputeEnd): OutcomeView {
    const dispute = this.books.disputes.find(id);
    if (!dispute) throw new Problem(404, 'not_found', `there is no dispute ${id}`);
    const closed = this.disputes.close(dispute, status);
    if (!closed) throw new Problem(409, 'unexpected_state', `the dispute is ${dispute.status} already`);
    return viewOf(closed);
  }

  @Post('payouts')
  @HttpCode(200)
  @ApiOperation({
    operationId: 'payOut',
    summary: 'Sends the balance to the bank of the merchant',
    description: 'All of one currency that no payout has paid before.',
  })
  @ApiAnswer(200, OutcomeView, { description: 'the payout' })
  @ApiProblems({ 409: ['nothing_to_pay'] })
  payOut(@Body() { currency }: PayoutRequest): OutcomeView {
    const payout = this.payouts.pay(currency);
    if (!payout) throw new Problem(409, 'nothing_to_pay', `there is no ${currency} in the balance`);
    return viewOf(payout);
  }

  @Post('payouts/:id/fail')
  @HttpCode(200)
  @ApiOperation({
    operationId: 'failPayout',
    summary: 'The bank of the merchant sends a payout back',
    description: 'The next payout pays it again.',
  })
  @ApiParam({ name: 'id', example: 'po_3f0c9d' })
  @ApiAnswer(200, OutcomeView, { description: 'the payout' })
  @ApiProblems({ 404: ['not_found'], 409: ['unexpected_state'] })
  failPayout(@Param('id') id: string): OutcomeView {
    if (!this.books.payouts.find(id)) throw new Problem(404, 'not_found', `there is no payout ${id}`);
    const failed = this.payouts.fail(id);
    if (!failed) throw new Problem(409, 'unexpected_state', 'the payout has failed already');
    return viewOf(failed);
  }
}

function viewOf({ id, status }: OutcomeView): OutcomeView {
  return { id, status };
}
