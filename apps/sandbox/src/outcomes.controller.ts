/** The admin routes that let something happen outside: the customer or the bank has decided. */
import { Controller, HttpCode, Param, Post } from '@nestjs/common';
import { ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import { ApiAnswer } from '@shop/http';
import { ApiProblems, Problem } from '@shop/problem';
import { OutcomeView } from './outcome.view';
import { Books } from './stripe/books';
import { Intents } from './stripe/intents';
import { Refunds } from './stripe/refunds';

const intentOutcomes = ['approve', 'decline', 'settle', 'fail', 'expire'] as const;
const refundOutcomes = ['settle', 'fail'] as const;

@ApiTags('admin')
@Controller('admin')
export class OutcomesController {
  constructor(
    private readonly books: Books,
    private readonly intents: Intents,
    private readonly refunds: Refunds,
  ) {}

  @Post('intents/:id/:outcome')
  @HttpCode(200)
  @ApiOperation({
    operationId: 'decideIntent',
    summary: 'Decides what a payment intent waits for',
    description:
      'The customer approves or declines on the page of the bank; the bank settles what is processing, or fails it; or ' +
      'the intent expires, and what is held is released.',
  })
  @ApiParam({ name: 'id', example: 'pi_3f0c9d' })
  @ApiParam({ name: 'outcome', enum: intentOutcomes })
  @ApiAnswer(200, OutcomeView, { description: 'the intent as it is now' })
  @ApiProblems({ 404: ['not_found'], 409: ['unexpected_state'] })
  decideIntent(@Param('id') id: string, @Param('outcome') outcome: string): OutcomeView {
    const known = intentOutcomes.find((each) => each === outcome);
    if (!known) throw new Problem(404, 'not_found', `nothing can ${outcome} an intent`);
    if (!this.books.intents.find(id)) throw new Problem(404, 'not_found', `there is no intent ${id}`);
    return viewOf(this.intents.happen(id, known), known);
  }

  @Post('refunds/:id/:outcome')
  @HttpCode(200)
  @ApiOperation({
    operationId: 'decideRefund',
    summary: 'Decides what becomes of a refund',
    description:
      'The bank settles a pending refund; or it fails, also after it has succeeded, and the money comes back.',
  })
  @ApiParam({ name: 'id', example: 're_3f0c9d' })
  @ApiParam({ name: 'outcome', enum: refundOutcomes })
  @ApiAnswer(200, OutcomeView, { description: 'the refund as it is now' })
  @ApiProblems({ 404: ['not_found'], 409: ['unexpected_state'] })
  decideRefund(@Param('id') id: string, @Param('outcome') outcome: string): OutcomeView {
    const known = refundOutcomes.find((each) => each === outcome);
    if (!known) throw new Problem(404, 'not_found', `nothing can ${outcome} a refund`);
    if (!this.books.refunds.find(id)) throw new Problem(404, 'not_found', `there is no refund ${id}`);
    return viewOf(known === 'settle' ? this.refunds.settle(id) : this.refunds.fail(id), known);
  }
}

function viewOf(done: OutcomeView | undefined, verb: string): OutcomeView {
  if (!done) throw new Problem(409, 'unexpected_state', `it is not in a state to ${verb}`);
  return { id: done.id, status: done.status };
}
