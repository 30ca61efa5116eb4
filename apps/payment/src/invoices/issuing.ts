/** Gives numbers to new invoices, in their order, from series that are locked. Pure. */
import { type InvoiceKind, numberOf } from './invoice';
import type { NewInvoice, Series, StoredInvoice } from './invoices.repository';

/** All of an invoice but its number and its time. */
export type Draft = Omit<NewInvoice, 'number' | 'issuedAt' | 'origin'> & { orderId: string };

export interface Issued {
  /** One for each draft, in their order: the new one, or that which is there already. */
  invoices: StoredInvoice[];
  made: NewInvoice[];
  /** As they are afterwards; only those that have given out a number. */
  series: Series[];
}

/**
 * @param known the invoices of these orders that are there
 * @param nameOf what a paper is there for, once: the order of an invoice, the refund of a credit note
 */
export function issueAll(
  drafts: readonly Draft[],
  locked: readonly Series[],
  { known, nameOf }: { known: readonly StoredInvoice[]; nameOf: (paper: Omit<Draft, 'madeBy'>) => string },
): Issued {
  const series = new Map(locked.map((one) => [seriesOf(one), { ...one }]));
  const made: NewInvoice[] = [];
  const papers = new Map(known.map((one) => [nameOf(one as Draft), one]));
  const used = new Set<Series>();
  for (const draft of drafts) {
    if (papers.has(nameOf(draft))) continue;
    const own = series.get(seriesOf(draft))!;
    used.add(own);
    own.last += 1;
    own.firstIssued ??= own.last;
    const issued: NewInvoice = { ...draft, origin: 'issued', number: numberOf(own, own.last), issuedAt: own.time };
    made.push(issued);
    papers.set(nameOf(draft), { ...issued, version: 1 });
  }
  return { invoices: drafts.map((draft) => papers.get(nameOf(draft))!), made, series: [...used] };
}

/** Within a transaction there is one year. */
const seriesOf = ({ tenant, kind }: { tenant: string; kind: InvoiceKind }): string => `${tenant}\n${kind}`;
