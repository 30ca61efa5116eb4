/** Invoices and credit notes over HTTP. */
import { Body, Controller, Get, Header, Headers, Param, Post, Put, Query, Res, StreamableFile } from '@nestjs/common';
import {
  ApiExtraModels,
  ApiOperation,
  ApiParam,
  ApiPropertyOptional,
  ApiResponse,
  ApiTags,
  getSchemaPath,
} from '@nestjs/swagger';
import {
  ApiAnswer,
  ApiConditionalRead,
  ApiConditionalWrite,
  type Caller,
  CallerOf,
  etagOf,
  OwnTurns,
  type Page,
  PageOf,
  PageQuery,
  readPage,
  reachOf,
  Roles,
  unlessModified,
} from '@shop/http';
import { type Claim, ClaimOf, Idempotent, type Outcome } from '@shop/idempotency';
import { ApiProblems } from '@shop/problem';
import { validationFailed } from '@shop/validation';
import { IsIn, IsOptional, IsUUID, Matches } from 'class-validator';
import type { FastifyReply } from 'fastify';
import { PDF, prefersPdf } from './accept';
import { BringInvoice } from './bring-invoice';
import { INVOICE_NUMBER, type InvoiceKind, invoiceKinds, placeIn, sameId } from './invoice';
import { BroughtInvoiceBody, NewInvoiceBody } from './invoice.body';
import { invoiceJson, InvoiceView } from './invoice.view';
import { InvoicesService } from './invoices.service';
import { IssueInvoice } from './issue-invoice';
import { paperOf } from './paper';

class InvoicesQuery extends PageQuery {
  @IsOptional()
  @Matches(INVOICE_NUMBER, { message: 'cursor must be `next` of the page before' })
  declare cursor?: string;

  @ApiPropertyOptional({ format: 'uuid', description: 'only the invoice and the credit notes of this order' })
  @IsOptional()
  @IsUUID()
  orderId?: string;

  @ApiPropertyOptional({ enum: invoiceKinds, description: 'only those' })
  @IsOptional()
  @IsIn(invoiceKinds)
  kind?: InvoiceKind;
}

const ApiNumber = () =>
  ApiParam({ name: 'number', description: 'of the invoice or credit note', example: 'INV-2026-0001' });
const AS_PAPER = '.pdf';

@ApiTags('invoices')
@Controller('invoices')
@Roles('customer', 'operator')
export class InvoicesController {
  constructor(
    private readonly invoices: InvoicesService,
    private readonly issueInvoice: IssueInvoice,
    private readonly bringInvoice: BringInvoice,
  ) {}

  @Post()
  @OwnTurns()
  @Idempotent({ strategy: 'leased' })
  @ApiOperation({
    operationId: 'issueInvoice',
    summary: 'Makes the invoice of a confirmed order, with the next number of the year',
    description:
      'An order has one invoice. Asked for again under another key, that one is the answer, with 200. After ' +
      '503 nothing was made, and the same key may come again.',
  })
  @ApiAnswer(201, InvoiceView, { description: 'made', headers: ['location', 'etag', 'idempotent-replayed'] })
  @ApiAnswer(200, InvoiceView, {
    description: 'the order had this invoice already',
    headers: ['location', 'etag', 'idempotent-replayed'],
  })
  @ApiProblems({
    409: ['order_not_confirmed'],
    422: { unknown_order: {}, tax_refused: { taxCode: { type: 'string', example: 'unknown_country' } } },
    503: ['tax_unavailable', 'orders_unavailable'],
  })
  issue(@CallerOf() caller: Caller, @ClaimOf() claim: Claim, @Body() { orderId }: NewInvoiceBody): Promise<Outcome> {
    return this.issueInvoice.perform(claim, { ...reachOf(caller), orderId: sameId(orderId) });
  }

  @Put(':number')
  @Roles('operator')
  @Idempotent({ strategy: 'natural' })
  @ApiOperation({
    operationId: 'putInvoice',
    summary: 'Keeps an invoice that was made elsewhere, or replaces it',
    description:
      'For the invoices of an earlier system. The same content again changes nothing. Once a number of the ' +
      'year was given out here, no new number of that year can be brought.',
  })
  @ApiNumber()
  @ApiConditionalWrite({ creates: true })
  @ApiAnswer(201, InvoiceView, { description: 'created', headers: ['location', 'etag'] })
  @ApiAnswer(200, InvoiceView, { description: 'replaced, or as it was already', headers: ['etag'] })
  @ApiProblems({
    409: {
      invoice_issued: {},
      invoice_credited: {},
      series_in_use: {},
      order_invoiced: { number: { type: 'string', example: 'INV-2025-0007' } },
    },
    422: ['totals_do_not_add_up'],
  })
  async put(
    @CallerOf() { tenant }: Caller,
    @Param('number') number: string,
    @Body() body: BroughtInvoiceBody,
    @Headers('if-match') ifMatch: string | undefined,
    @Headers('if-none-match') ifNoneMatch: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<InvoiceView> {
    const place = placeIn(number);
    if (place?.kind !== 'invoice') {
      throw validationFailed([{ path: 'number', message: 'must look like INV-2025-0001' }]);
    }
    const preconditions = { ifMatch, ifNoneMatch };
    const { invoice, isNew } = await this.bringInvoice.put({ key: { tenant, number }, place, body, preconditions });
    if (isNew) void reply.header('location', `/invoices/${number}`);
    void reply.status(isNew ? 201 : 200).header('etag', etagOf(invoice.version));
    return invoiceJson(invoice);
  }

  @Get()
  @ApiOperation({
    operationId: 'listInvoices',
    summary: 'Invoices and credit notes, page by page',
    description: 'Those of your orders; for an operator those of its tenant. In order of their numbers.',
  })
  @ApiAnswer(200, PageOf(InvoiceView), { description: 'a page' })
  list(
    @CallerOf() caller: Caller,
    @Query() { cursor: after = '', limit, orderId, kind }: InvoicesQuery,
  ): Promise<Page<InvoiceView>> {
    const read = (limit: number) => this.invoices.list({ ...reachOf(caller), orderId, kind, after, limit });
    return readPage(limit, read, { item: invoiceJson, cursor: ({ number }) => number });
  }

  @Get(':number')
  @Header('vary', 'accept')
  @ApiOperation({
    operationId: 'getInvoice',
    summary: 'One invoice or credit note, as JSON or as a page of paper',
    description: 'With `Accept: application/pdf`, or with `.pdf` behind the number, it is a PDF.',
  })
  @ApiNumber()
  @ApiConditionalRead()
  @ApiExtraModels(InvoiceView)
  @ApiResponse({
    status: 200,
    description: 'the invoice',
    headers: { etag: { description: 'the version and the form', schema: { type: 'string', example: '"1"' } } },
    content: {
      'application/json': { schema: { $ref: getSchemaPath(InvoiceView) } },
      [PDF]: { schema: { type: 'string', format: 'binary', example: '%PDF-1.3' } },
    },
  })
  @ApiProblems({ 404: ['invoice_not_found'] })
  async get(
    @CallerOf() caller: Caller,
    @Param('number') named: string,
    @Headers('accept') accept: string | undefined,
    @Headers('if-none-match') ifNoneMatch: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<InvoiceView | StreamableFile | undefined> {
    const number = named.endsWith(AS_PAPER) ? named.slice(0, -AS_PAPER.length) : named;
    const isPaper = number !== named || prefersPdf(accept);
    const invoice = await this.invoices.get(reachOf(caller), number);
    // Two forms of the same thing have two tags.
    const etag = etagOf(isPaper ? `${invoice.version}${AS_PAPER}` : invoice.version);
    void reply.header('etag', etag);
    if (unlessModified(ifNoneMatch, etag)) {
      void reply.status(304);
      return undefined;
    }
    return isPaper ? paperOf(invoice) : invoiceJson(invoice);
  }
}
