/** A table on pages of paper: its head is repeated on each page, and no row is cut. */
import type PDFDocument from 'pdfkit';

type Doc = InstanceType<typeof PDFDocument>;

export interface Column {
  title: string;
  /** In points. */
  width: number;
  /** Numbers are on the right. */
  align: 'left' | 'right';
}

export interface Row {
  cells: readonly string[];
  isBold?: boolean;
}

export interface Look {
  size: number;
  ink: string;
  grey: string;
  rule: string;
}

const PADDING = 5;
/** Between two columns. */
const GAP = 8;
/** A number that does not fit is printed smaller, but not smaller than can be read. */
const SMALLEST = 5;

/**
 * Draws the table from the place where the document is, over the width of the page.
 * @param bottom where the rows of a page end
 */
export function drawTable(
  doc: Doc,
  columns: readonly Column[],
  rows: readonly Row[],
  look: Look,
  bottom: number,
): void {
  drawHead(doc, columns, look);
  for (const row of rows) {
    if (doc.y + heightOf(doc, columns, row, look) > bottom) {
      doc.addPage();
      drawHead(doc, columns, look);
    }
    drawRow(doc, columns, row, look);
  }
}

/** So much is needed for the head and one row. */
export const roomFor = (rows: number, { size }: Look): number => (rows + 1) * (size * 1.2 + 2 * PADDING) + PADDING;

function drawHead(doc: Doc, columns: readonly Column[], look: Look): void {
  const top = doc.y;
  doc
    .font('Helvetica')
    .fontSize(look.size - 1)
    .fillColor(look.grey);
  let x = doc.page.margins.left;
  for (const { title, width, align } of columns) {
    doc.text(title, x, top + PADDING, { width: width - GAP * Number(align === 'left'), align, lineBreak: false });
    x += width;
  }
  doc.y = top + look.size * 1.2 + 2 * PADDING;
  ruleAt(doc, columns, doc.y, look.ink, 0.8);
}

function drawRow(doc: Doc, columns: readonly Column[], row: Row, look: Look): void {
  const top = doc.y;
  const height = heightOf(doc, columns, row, look);
  let x = doc.page.margins.left;
  columns.forEach(({ width, align }, index) => {
    const text = row.cells[index] ?? '';
    prepare(doc, row, look);
    if (align === 'left') doc.text(text, x, top + PADDING, { width: width - GAP });
    else drawNumber(doc, text, { x, y: top + PADDING, width, size: look.size });
    x += width;
  });
  doc.y = top + height;
  ruleAt(doc, columns, doc.y, look.rule, 0.5);
}

function drawNumber(doc: Doc, text: string, at: { x: number; y: number; width: number; size: number }): void {
  const wanted = doc.widthOfString(text);
  const room = at.width - 2;
  if (wanted > room) doc.fontSize(Math.max(SMALLEST, (at.size * room) / wanted));
  doc.text(text, at.x + at.width - doc.widthOfString(text), at.y, { lineBreak: false });
}

function heightOf(doc: Doc, columns: readonly Column[], row: Row, look: Look): number {
  prepare(doc, row, look);
  const heights = columns.map(({ width, align }, index) =>
    align === 'left' ? doc.heightOfString(row.cells[index] || ' ', { width: width - GAP }) : doc.currentLineHeight(),
  );
  return Math.max(...heights) + 2 * PADDING;
}

function prepare(doc: Doc, { isBold }: Row, { size, ink }: Look): void {
  doc
    .font(isBold ? 'Helvetica-Bold' : 'Helvetica')
    .fontSize(size)
    .fillColor(ink);
}

function ruleAt(doc: Doc, columns: readonly Column[], y: number, color: string, thickness: number): void {
  const { left } = doc.page.margins;
  const width = columns.reduce((all, column) => all + column.width, 0);
  doc
    .moveTo(left, y)
    .lineTo(left + width, y)
    .lineWidth(thickness)
    .strokeColor(color)
    .stroke();
}
