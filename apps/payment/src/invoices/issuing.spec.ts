import type { Series, StoredInvoice } from './invoices.repository';
import { type Draft, issueAll } from './issuing';

const draft = (orderId: string, tenant = 'acme'): Draft => ({
  tenant,
  kind: 'invoice',
  orderId,
  placedBy: null,
  madeBy: 'claim',
  currency: 'EUR',
  lines: [],
  totals: { gross: 0, net: 0, tax: 0, rates: [] },
  credits: null,
  refundId: null,
});
const series = (changed: Partial<Series> = {}): Series => ({
  tenant: 'acme',
  kind: 'invoice',
  year: 2_026,
  last: 0,
  firstIssued: null,
  time: '2026-03-01T12:00:00.000Z',
  ...changed,
});
const nameOf = ({ tenant, orderId }: { tenant: string; orderId: string | null }) => `${tenant} ${orderId}`;
const stored = (orderId: string, number: string): StoredInvoice => ({
  ...draft(orderId),
  number,
  origin: 'issued',
  issuedAt: '2026-01-01T00:00:00.000Z',
  version: 1,
});

const numbersOf = (invoices: readonly { number: string }[]): string[] => invoices.map(({ number }) => number);

describe('R39 a batch of invoices', () => {
  it('R39 gets the next numbers in the order in which it came', () => {
    const issued = issueAll(
      ['a', 'b', 'c'].map((order) => draft(order)),
      [series({ last: 8 })],
      { known: [], nameOf },
    );
    expect(numbersOf(issued.invoices)).toEqual(['INV-2026-0009', 'INV-2026-0010', 'INV-2026-0011']);
    expect(numbersOf(issued.made)).toEqual(numbersOf(issued.invoices));
    expect(issued.series).toEqual([series({ last: 11, firstIssued: 9 })]);
  });

  it('R39 makes one invoice for an order, and takes no number for one that is there', () => {
    const known = [stored('b', 'INV-2026-0003')];
    const drafts = ['a', 'b', 'a', 'c'].map((order) => draft(order));
    const issued = issueAll(drafts, [series({ last: 3, firstIssued: 1 })], { known, nameOf });
    expect(numbersOf(issued.invoices)).toEqual(['INV-2026-0004', 'INV-2026-0003', 'INV-2026-0004', 'INV-2026-0005']);
    expect(numbersOf(issued.made)).toEqual(['INV-2026-0004', 'INV-2026-0005']);
    expect(issued.series).toEqual([series({ last: 5, firstIssued: 1 })]);
  });

  it('R39 has a series for each tenant, and leaves alone what gives out nothing', () => {
    const locked = [series(), series({ tenant: 'idle' }), series({ tenant: 'rival', last: 41, firstIssued: 40 })];
    const issued = issueAll([draft('a', 'rival'), draft('a')], locked, { known: [], nameOf });
    expect(numbersOf(issued.invoices)).toEqual(['INV-2026-0042', 'INV-2026-0001']);
    expect(issued.series.map(({ tenant, last }) => [tenant, last])).toEqual([
      ['rival', 42],
      ['acme', 1],
    ]);
    // A transaction may run again, with what it has read.
    expect(locked[0]).toEqual(series());
  });
});
