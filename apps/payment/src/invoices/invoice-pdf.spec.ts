import { inflateSync } from 'node:zlib';
import { creditOf } from './credit';
import { invoicePdf, type PrintedInvoice } from './invoice-pdf';
import { totalsOf } from './totals';

const small = totalsOf([
  { sku: 'cup', quantity: 2, gross: 3_998, rate: 1_900 },
  { sku: 'book-1', quantity: 1_500, gross: 107_000, rate: 700 },
]);
const invoice: PrintedInvoice = {
  kind: 'invoice',
  number: 'INV-2026-0042',
  tenant: 'acme',
  orderId: '01a20621-a6cd-74b9-a1c3-459d717a98c4',
  issuedAt: '2026-03-01T12:00:00.000Z',
  currency: 'EUR',
  ...small,
};
const credit: PrintedInvoice = {
  ...invoice,
  kind: 'credit_note',
  number: 'CN-2026-0007',
  credits: invoice.number,
  lines: [],
  totals: creditOf(small.totals.rates, [], 110_998)!,
};
const withLines = (count: number): PrintedInvoice => ({
  ...invoice,
  ...totalsOf(
    Array.from({ length: count }, (_, n) => ({
      sku: `sku-${n}`,
      quantity: 1,
      gross: 100 + n,
      rate: n % 2 ? 1_900 : 700,
    })),
  ),
});

describe('R39 invoicePdf', () => {
  it('R39 shows the invoice with its lines, its tax by rate and its sums', async () => {
    const [page, ...others] = await pagesOf(invoice);
    expect(others).toEqual([]);
    expect(page).toEqual([
      ...[
        'acme',
        'Invoice',
        'Number',
        'INV-2026-0042',
        'Date',
        '2026-03-01',
        'Order',
        invoice.orderId,
        'Currency',
        'EUR',
      ],
      ...['Item', 'Pieces', 'Tax rate', 'Net', 'Tax', 'Total'],
      ...['cup', '2', '19 %', '33.60', '6.38', '39.98'],
      ...['book-1', '1,500', '7 %', '1,000.00', '70.00', '1,070.00'],
      ...['Tax', 'Net', 'Tax', 'Total'],
      ...['at 19 %', '33.60', '6.38', '39.98', 'at 7 %', '1,000.00', '70.00', '1,070.00'],
      ...['Total in EUR', '1,033.60', '76.38', '1,109.98', 'Prices include the tax shown.'],
      ...['acme · Invoice INV-2026-0042', 'Page 1 of 1'],
    ]);
  });

  it('R39 shows which invoice a credit note takes back, and how much', async () => {
    const [page] = await pagesOf(credit);
    expect(page).toEqual(expect.arrayContaining(['Credit note', 'CN-2026-0007', 'Credits invoice', 'INV-2026-0042']));
    expect(page).toEqual(expect.arrayContaining(['Credited in EUR', '1,109.98']));
    expect(page).not.toContain('Item');
  });

  it('R39 has the same bytes each time, and others for another invoice', async () => {
    const [first, second] = [await invoicePdf(invoice), await invoicePdf(invoice)];
    expect(first.subarray(0, 5).toString()).toBe('%PDF-');
    expect(second.equals(first)).toBe(true);
    expect((await invoicePdf({ ...invoice, number: 'INV-2026-0043' })).equals(first)).toBe(false);
  });

  it.each([0, 1, 23, 24, 25, 26, 27, 60, 100])(
    'R39 shows %i lines, each once and whole, with a head on each page',
    async (count) => {
      const pages = await pagesOf(withLines(count));
      const shown = pages.flat().filter((text) => text.startsWith('sku-'));
      expect(shown).toEqual(Array.from({ length: count }, (_, n) => `sku-${n}`));
      pages.forEach((page, index) => expect(page.at(-1)).toBe(`Page ${index + 1} of ${pages.length}`));
      for (const page of pages) expect(page.some((text) => text.startsWith('sku-'))).toBe(page.includes('Item'));
      expect(pages.at(-1)).toContain('Total in EUR');
      expect(pages.at(-1)!.filter((text) => text.startsWith('at '))).toHaveLength(Math.min(count, 2));
      expect(pages.length).toBeLessThanOrEqual(1 + Math.ceil(count / 24));
    },
  );

  it('R39 keeps what is too long inside its column', async () => {
    const sku = 'x'.repeat(64);
    const big = totalsOf([{ sku, quantity: 1_000_000, gross: Number.MAX_SAFE_INTEGER, rate: 1_900 }]);
    const [page] = await pagesOf({ ...invoice, ...big });
    expect(page!.filter((text) => /^x+$/.test(text)).join('')).toBe(sku);
    expect(page!.filter((text) => text === '90,071,992,547,409.91')).toHaveLength(3);
  });
});

/** The texts of each page, in the order in which they were drawn. */
async function pagesOf(printed: PrintedInvoice): Promise<string[][]> {
  const file = (await invoicePdf(printed)).toString('latin1');
  const streams = [...file.matchAll(/stream\r?\n([\s\S]*?)\r?\nendstream/g)];
  const pages = streams.map(([, deflated]) => inflateSync(Buffer.from(deflated!, 'latin1')).toString('latin1'));
  return pages.map((page) => [...page.matchAll(/\[([^\]]*)\] TJ/g)].map(([, parts]) => textOf(parts!)));
}

/** A text is in pieces, between which the letters are moved closer. */
function textOf(parts: string): string {
  const pieces = [...parts.matchAll(/<([0-9a-f]*)>/g)].map(([, hex]) => Buffer.from(hex!, 'hex').toString('latin1'));
  return pieces.join('').trimEnd();
}
