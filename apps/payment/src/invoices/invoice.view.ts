/** An invoice as clients see it. */
import { ApiProperty, ApiPropertyOptional, ApiSchema } from '@nestjs/swagger';
import { InvoiceLineBody, TotalsBody } from './invoice.body';
import { type Invoice, type InvoiceKind, invoiceKinds, type InvoiceOrigin, invoiceOrigins } from './invoice';
import type { InvoiceLine, TaxOfRate } from './totals';

@ApiSchema({
  name: 'Invoice',
  description: 'What was sold and with how much tax; or, as a credit note, taken off again.',
})
export class InvoiceView {
  @ApiProperty({ example: 'INV-2026-0001' })
  number: string;

  @ApiProperty({ enum: invoiceKinds, example: 'invoice' })
  kind: InvoiceKind;

  @ApiProperty({
    enum: invoiceOrigins,
    description: 'issued: made here, and never changed; brought: made elsewhere, and kept here',
    example: 'issued',
  })
  origin: InvoiceOrigin;

  @ApiProperty({
    type: String,
    format: 'uuid',
    nullable: true,
    description: 'null for a brought one that belongs to no order of this shop',
    example: '01a20621-a6cd-74b9-a1c3-459d717a98c4',
  })
  orderId: string | null;

  @ApiProperty({ description: 'ISO 4217', example: 'EUR' })
  currency: string;

  @ApiProperty({ type: [InvoiceLineBody], description: 'none on a credit note, which takes off the rates' })
  lines: InvoiceLineBody[];

  @ApiProperty({ type: TotalsBody })
  totals: TotalsBody;

  @ApiPropertyOptional({ description: 'on a credit note, the number of the invoice', example: 'INV-2026-0001' })
  credits?: string;

  @ApiPropertyOptional({
    description: 'on a credit note, the refund that it is for',
    example: 'rfd_Zl0hCg4y1mPpYvHnR1xk7Jd2sQw',
  })
  refundId?: string;

  @ApiProperty({ format: 'date-time', example: '2026-03-01T12:00:00.000Z' })
  issuedAt: string;

  @ApiProperty({ type: 'integer', description: 'counts the changes; the ETag tells the same', example: 1 })
  version: number;
}

export function invoiceJson(invoice: Invoice): InvoiceView {
  const { number, kind, origin, orderId, currency, credits, refundId, issuedAt, version } = invoice;
  return {
    number,
    kind,
    origin,
    orderId,
    currency,
    ...amountsOf(invoice),
    credits: credits ?? undefined,
    refundId: refundId ?? undefined,
    issuedAt,
    version,
  };
}

/** The database keeps the members in another order than the answer to the request has them. */
export function amountsOf({ lines, totals }: Pick<Invoice, 'lines' | 'totals'>): Pick<InvoiceView, 'lines' | 'totals'> {
  const { gross, net, tax, rates } = totals;
  return { lines: lines.map(lineJson), totals: { gross, net, tax, rates: rates.map(rateJson) } };
}

const rateJson = ({ rate, gross, net, tax }: TaxOfRate) => ({ rate, gross, net, tax });
const lineJson = ({ sku, quantity, ...amounts }: InvoiceLine) => ({ sku, quantity, ...rateJson(amounts) });
