/** An invoice as a file for the answer. */
import { StreamableFile } from '@nestjs/common';
import { PDF } from './accept';
import type { Invoice } from './invoice';
import { invoicePdf } from './invoice-pdf';

/** Stands in the place of the order of an invoice that has none. */
const NO_ORDER = '-';

export async function paperOf(invoice: Invoice): Promise<StreamableFile> {
  const { kind, tenant, number, orderId, issuedAt, currency, lines, totals, credits } = invoice;
  const amounts = { currency, lines, totals };
  const belongs = { orderId: orderId ?? NO_ORDER, credits: credits ?? undefined };
  const pdf = await invoicePdf({ kind, tenant, number, issuedAt, ...amounts, ...belongs });
  return new StreamableFile(pdf, { type: PDF, disposition: `inline; filename="${number}.pdf"`, length: pdf.length });
}
