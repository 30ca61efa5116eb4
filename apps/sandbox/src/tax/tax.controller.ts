/** The API of the tax service: it quotes, and is told of invoices and credit notes under names of the caller's. */
import { Body, Controller, Param, Post, Put, Req, Res } from '@nestjs/common';
import { ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import { ApiAnswer } from '@shop/http';
import { ApiProblems, Problem } from '@shop/problem';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { problemWords, Responder } from '../faults/responder';
import { TaxBooks, type TaxRefusal } from './tax-books';
import { TaxFaults } from './tax-faults';
import { rateOf, taxIn } from './tax-rates';
import { QuoteRequest, RefundRequest, TransactionRequest } from './tax-request';
import { QuoteView, ToldView } from './tax.view';

const details: Record<TaxRefusal, [status: number, detail: string]> = {
  duplicate: [409, 'this name is known; nothing was changed'],
  tax_does_not_match: [422, 'the tax is not that of its rate, or the parts do not add up'],
  unknown_transaction: [404, 'no transaction has this name'],
  currency_does_not_match: [422, 'the transaction has another currency'],
  refund_exceeds_transaction: [422, 'all refunds together would be more than the transaction, in one of its rates'],
};

@ApiTags('tax')
@Controller('tax/v1')
export class TaxController {
  constructor(
    private readonly books: TaxBooks,
    private readonly faults: TaxFaults,
    private readonly responder: Responder,
  ) {}

  @Post('quotes')
  @ApiOperation({
    operationId: 'quoteTax',
    summary: 'The rates of lines, and the tax in them',
    description: 'By the beginnings of the SKUs: `book-` has 7 %, `gift-` nothing, all else 19 %.',
  })
  @ApiAnswer(200, QuoteView, { description: 'in the order of the lines' })
  @ApiProblems({ 401: ['unauthenticated'] })
  quote(@Req() request: FastifyRequest, @Res() reply: FastifyReply, @Body() { lines }: QuoteRequest): Promise<void> {
    return this.answer(request, reply, () => {
      const taxed = lines.map(({ sku, amount }) => ({ sku, rate: rateOf(sku), tax: taxIn(amount, rateOf(sku)) }));
      return { status: 200, body: { lines: taxed } };
    });
  }

  @Put('transactions/:number')
  @ApiOperation({
    operationId: 'commitTax',
    summary: 'Tells of an invoice',
    description: 'Once for each number.',
  })
  @ApiParam({ name: 'number', example: 'acme.INV-2026-0001' })
  @ApiAnswer(201, ToldView, { description: 'kept' })
  @ApiProblems({ 401: ['unauthenticated'], 409: ['duplicate'], 422: ['tax_does_not_match'] })
  commit(
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
    @Param('number') number: string,
    @Body() transaction: TransactionRequest,
  ): Promise<void> {
    return this.answer(request, reply, () => this.told(this.books.commit(number, transaction), { number }));
  }

  @Post('transactions/:number/refunds')
  @ApiOperation({
    operationId: 'refundTax',
    summary: 'Tells of a credit note',
    description: 'Once for each reference.',
  })
  @ApiParam({ name: 'number', example: 'acme.INV-2026-0001' })
  @ApiAnswer(201, ToldView, { description: 'kept' })
  @ApiProblems({
    401: ['unauthenticated'],
    404: ['unknown_transaction'],
    409: ['duplicate'],
    422: ['tax_does_not_match', 'currency_does_not_match', 'refund_exceeds_transaction', 'refund_refused'],
  })
  refund(
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
    @Param('number') number: string,
    @Body() refund: RefundRequest,
  ): Promise<void> {
    return this.answer(request, reply, () => {
      if (this.faults.current().refuseRefunds) throw new Problem(422, 'refund_refused', 'no refund is taken now');
      return this.told(this.books.refund(number, refund), { number, reference: refund.reference });
    });
  }

  private told(refusal: TaxRefusal | undefined, body: ToldView): { status: number; body: ToldView } {
    if (!refusal) return { status: 201, body };
    const [status, detail] = details[refusal];
    throw new Problem(status, refusal, detail);
  }

  private answer(
    { headers }: FastifyRequest,
    reply: FastifyReply,
    work: () => { status: number; body: object },
  ): Promise<void> {
    if (!/^Bearer \S/.test(headers.authorization ?? '')) throw new Problem(401, 'unauthenticated', 'show your key');
    return this.responder.send(reply, this.faults.plan(), work, { words: problemWords });
  }
}
