/** The admin routes of the tax service: its faults, and what it was told. */
import { Body, Controller, Delete, Get, HttpCode, Put } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { ApiAnswer } from '@shop/http';
import { checkRates } from '../faults/faults';
import { TaxBooks } from './tax-books';
import { TaxFaults, TaxFaultSettings } from './tax-faults';
import { TaxTransactionsView } from './tax.view';

@ApiTags('admin')
@Controller('admin')
export class TaxAdminController {
  constructor(
    private readonly faults: TaxFaults,
    private readonly books: TaxBooks,
  ) {}

  @Get('tax-faults')
  @ApiOperation({
    operationId: 'getTaxFaults',
    summary: 'The faults that the tax service shows',
    description: 'Shares of requests, and times to wait.',
  })
  @ApiAnswer(200, TaxFaultSettings, { description: 'the faults as they are now' })
  getFaults(): TaxFaultSettings {
    return this.faults.current();
  }

  @Put('tax-faults')
  @ApiOperation({
    operationId: 'setTaxFaults',
    summary: 'Sets all faults of the tax service anew; what is left out is off',
    description: 'Shares are of the same requests, so together they are at most 1.',
  })
  @ApiAnswer(200, TaxFaultSettings, { description: 'the faults as they are now' })
  putFaults(@Body() settings: TaxFaultSettings): TaxFaultSettings {
    checkRates(settings);
    this.faults.use(settings);
    return this.faults.current();
  }

  @Delete('tax-faults')
  @HttpCode(204)
  @ApiOperation({
    operationId: 'clearTaxFaults',
    summary: 'Turns all faults of the tax service off',
    description: 'From now on everything goes well.',
  })
  @ApiAnswer(204, null, { description: 'off' })
  deleteFaults(): void {
    this.faults.use(new TaxFaultSettings());
  }

  @Get('tax-transactions')
  @ApiOperation({
    operationId: 'listTaxTransactions',
    summary: 'Everything that the tax service was told, oldest first',
    description: 'Invoices, with the credit notes of each.',
  })
  @ApiAnswer(200, TaxTransactionsView, { description: 'all of them' })
  getTransactions(): TaxTransactionsView {
    return { transactions: this.books.all() };
  }

  @Delete('tax-transactions')
  @HttpCode(204)
  @ApiOperation({
    operationId: 'clearTaxTransactions',
    summary: 'Empties the books of the tax service',
    description: 'As if nobody had ever told it anything.',
  })
  @ApiAnswer(204, null, { description: 'empty' })
  deleteTransactions(): void {
    this.books.clear();
  }
}
