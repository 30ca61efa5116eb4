/** An invoice or a credit note as pages of paper, A4. */
import PDFDocument from 'pdfkit';
import { type Column, drawTable, type Look, roomFor, type Row } from './printed-table';
import { countText, dateText, moneyText, rateText, standardLetters } from './printed-text';
import type { InvoiceLine, Totals } from './totals';

export interface PrintedInvoice {
  kind: 'invoice' | 'credit_note';
  number: string;
  /** Who sells. */
  tenant: string;
  orderId: string;
  /** ISO time. */
  issuedAt: string;
  currency: string;
  /** None on a credit note, which takes off its rates. */
  lines: readonly InvoiceLine[];
  totals: Totals;
  /** On a credit note, the number of the invoice. */
  credits?: string;
}

type Doc = InstanceType<typeof PDFDocument>;

const MARGIN = 56;
const WIDTH = 483;
/** Where the rows of a page end; below it is the foot. */
const BOTTOM = 760;
const FOOT = 786;
const look: Look = { size: 9.5, ink: '#1b1f24', grey: '#69707a', rule: '#d5d9de' };

const lineColumns: Column[] = [
  { title: 'Item', width: 165, align: 'left' },
  { title: 'Pieces', width: 50, align: 'right' },
  { title: 'Tax rate', width: 58, align: 'right' },
  { title: 'Net', width: 70, align: 'right' },
  { title: 'Tax', width: 64, align: 'right' },
  { title: 'Total', width: 76, align: 'right' },
];
const rateColumns: Column[] = [
  { title: 'Tax', width: 273, align: 'left' },
  ...['Net', 'Tax', 'Total'].map((title, index): Column => ({ title, width: [70, 64, 76][index]!, align: 'right' })),
];

/** The same invoice always has the same bytes. */
export function invoicePdf(invoice: PrintedInvoice): Promise<Buffer> {
  const doc = new PDFDocument({
    size: 'A4',
    margins: { top: MARGIN, left: MARGIN, right: MARGIN, bottom: 0 },
    bufferPages: true,
    lang: 'en',
    displayTitle: true,
    // Without the time of the invoice, it would have that of the printing.
    info: {
      Title: `${titleOf(invoice)} ${standardLetters(invoice.number)}`,
      Author: standardLetters(invoice.tenant),
      CreationDate: new Date(invoice.issuedAt),
    },
  });
  const bytes = bytesOf(doc);
  drawHeading(doc, invoice);
  drawLines(doc, invoice);
  drawTotals(doc, invoice);
  drawFeet(doc, invoice);
  doc.end();
  return bytes;
}

function drawHeading(doc: Doc, invoice: PrintedInvoice): void {
  const { tenant, number, issuedAt, orderId, credits, currency } = invoice;
  doc.font('Helvetica-Bold').fontSize(11).fillColor(look.ink).text(standardLetters(tenant), MARGIN, MARGIN);
  doc.fontSize(24).text(titleOf(invoice), MARGIN, MARGIN + 42);
  const facts: [string, string][] = [
    ['Number', number],
    ['Date', dateText(issuedAt)],
    ['Order', orderId],
    ...(credits === undefined ? [] : [['Credits invoice', credits] as [string, string]]),
    ['Currency', currency],
  ];
  let y = MARGIN + 86;
  for (const [name, value] of facts) {
    doc.font('Helvetica').fontSize(look.size).fillColor(look.grey).text(name, MARGIN, y, { lineBreak: false });
    doc.fillColor(look.ink).text(standardLetters(value), MARGIN + 90, y, { lineBreak: false });
    y += 16;
  }
  doc.y = y + 20;
}

function drawLines(doc: Doc, { lines, currency }: PrintedInvoice): void {
  if (lines.length === 0) return;
  const rows = lines.map(({ sku, quantity, rate, net, tax, gross }): Row => ({
    cells: [standardLetters(sku), countText(quantity), rateText(rate), ...[net, tax, gross].map(moneyIn(currency))],
  }));
  drawTable(doc, lineColumns, rows, look, BOTTOM);
  doc.y += 22;
}

function drawTotals(doc: Doc, { totals, currency, kind }: PrintedInvoice): void {
  const rows = totals.rates.map(({ rate, net, tax, gross }): Row => ({
    cells: [`at ${rateText(rate)}`, ...[net, tax, gross].map(moneyIn(currency))],
  }));
  const { net, tax, gross } = totals;
  const name = kind === 'invoice' ? `Total in ${currency}` : `Credited in ${currency}`;
  const total: Row = { cells: [name, ...[net, tax, gross].map(moneyIn(currency))], isBold: true };
  // The sums stay together.
  if (doc.y + roomFor(rows.length + 1, look) > BOTTOM) doc.addPage();
  drawTable(doc, rateColumns, [...rows, total], look, BOTTOM);
  doc.y += 12;
  const note =
    kind === 'invoice' ? 'Prices include the tax shown.' : 'This amount was given back. It includes the tax shown.';
  doc.font('Helvetica').fontSize(8.5).fillColor(look.grey).text(note, MARGIN, doc.y, { lineBreak: false });
}

function drawFeet(doc: Doc, invoice: PrintedInvoice): void {
  const { start, count } = doc.bufferedPageRange();
  for (let page = 0; page < count; page++) {
    doc.switchToPage(start + page);
    doc.font('Helvetica').fontSize(8).fillColor(look.grey);
    const name = `${standardLetters(invoice.tenant)} · ${titleOf(invoice)} ${standardLetters(invoice.number)}`;
    doc.text(name, MARGIN, FOOT, { lineBreak: false });
    const place = `Page ${page + 1} of ${count}`;
    doc.text(place, MARGIN + WIDTH - doc.widthOfString(place), FOOT, { lineBreak: false });
  }
}

const titleOf = ({ kind }: PrintedInvoice): string => (kind === 'invoice' ? 'Invoice' : 'Credit note');

const moneyIn = (currency: string) => (amount: number) => moneyText(amount, currency);

function bytesOf(doc: Doc): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    doc.on('data', (chunk: Buffer) => chunks.push(chunk));
    doc.on('end', () => resolve(Buffer.concat(chunks)));
    doc.on('error', reject);
  });
}
