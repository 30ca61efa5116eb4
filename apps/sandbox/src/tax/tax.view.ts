/** What the tax service answers. */
import { ApiProperty, ApiPropertyOptional, ApiSchema } from '@nestjs/swagger';
import type { TaxTransaction } from './tax-books';
import { TaxOfRate } from './tax-request';

@ApiSchema({ name: 'TaxedLine', description: 'The tax in a line.' })
class TaxedLineView {
  @ApiProperty({ example: 'book-1' })
  sku: string;

  @ApiProperty({ type: 'integer', description: 'basis points: 700 is 7 %', example: 700 })
  rate: number;

  @ApiProperty({ type: 'integer', description: 'in minor units, of this line alone', example: 140 })
  tax: number;
}

@ApiSchema({ name: 'TaxQuote', description: 'The tax in the lines that were asked about, in their order.' })
export class QuoteView {
  @ApiProperty({ type: [TaxedLineView] })
  lines: TaxedLineView[];
}

@ApiSchema({ name: 'TaxTold', description: 'What was told is kept under this number.' })
export class ToldView {
  @ApiProperty({ example: 'acme.INV-2026-0001' })
  number: string;

  @ApiPropertyOptional({ description: 'of a credit note', example: 'CN-2026-0001' })
  reference?: string;
}

@ApiSchema({ name: 'TaxRefund', description: 'What was given back of a transaction.' })
class TaxRefundView {
  @ApiProperty({ example: 'acme.CN-2026-0001' })
  reference: string;

  @ApiProperty({ type: 'integer', example: 2_140 })
  amount: number;

  @ApiProperty({ type: [TaxOfRate] })
  rates: TaxOfRate[];
}

@ApiSchema({ name: 'TaxTransaction', description: 'What was told under one number.' })
export class TaxTransactionView implements TaxTransaction {
  @ApiProperty({ example: 'acme.INV-2026-0001' })
  number: string;

  @ApiProperty({ example: 'EUR' })
  currency: string;

  @ApiProperty({ type: [TaxOfRate] })
  rates: TaxOfRate[];

  @ApiProperty({ type: [TaxRefundView] })
  refunds: TaxRefundView[];
}

@ApiSchema({ name: 'TaxTransactions', description: 'Everything that the tax service was told, oldest first.' })
export class TaxTransactionsView {
  @ApiProperty({ type: [TaxTransactionView] })
  transactions: TaxTransactionView[];
}
