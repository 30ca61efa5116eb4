/** What becomes of an invoice that somebody brings: it is new, it replaces another one, or it is not taken. Pure. */
import { type Preconditions, requireMatch, requireNone } from '@shop/http';
import { Problem } from '@shop/problem';
import type { PlaceInSeries } from './invoice';
import { amountsOf } from './invoice.view';
import type { NewInvoice, Series, StoredInvoice } from './invoices.repository';

export interface Found {
  series: Series;
  /** The invoice with this number. */
  known: StoredInvoice | undefined;
  /** The invoice of the same order. */
  ofOrder: StoredInvoice | undefined;
  /** There is a credit note for the invoice with this number. */
  isCredited: boolean;
}

export type Brought = { act: 'insert'; series: Series } | { act: 'replace' } | { act: 'keep'; known: StoredInvoice };

/** @throws Problem why it is not taken */
export function bring(
  invoice: NewInvoice,
  { place }: Pick<PlaceInSeries, 'place'>,
  { series, known, ofOrder, isCredited }: Found,
  { ifMatch, ifNoneMatch }: Preconditions,
): Brought {
  if (known) {
    requireNone(ifNoneMatch, known.version);
    if (known.origin === 'issued') throw issuedHere();
    if (ifMatch !== undefined) requireMatch(ifMatch, known.version);
    if (contentOf(known) === contentOf(invoice)) return { act: 'keep', known };
    if (isCredited) throw credited();
  } else if (ifMatch !== undefined) requireMatch(ifMatch, undefined);
  if (ofOrder && ofOrder.number !== invoice.number) throw invoiced(ofOrder.number);
  if (known) return { act: 'replace' };
  // It would take a number that is given out next, or fill up a series that has to show no change any more.
  if (series.firstIssued !== null) throw inUse();
  return { act: 'insert', series: { ...series, last: Math.max(series.last, place) } };
}

/** What the client has said. */
const contentOf = ({ orderId, currency, issuedAt, ...amounts }: NewInvoice | StoredInvoice): string =>
  JSON.stringify([orderId, currency, issuedAt, amountsOf(amounts)]);

const issuedHere = () =>
  new Problem(409, 'invoice_issued', 'this invoice was issued here, and never changes; a refund gets a credit note');

const credited = () =>
  new Problem(409, 'invoice_credited', 'there is a credit note for this invoice, so it cannot be replaced any more');

const invoiced = (number: string) =>
  new Problem(409, 'order_invoiced', 'the order has another invoice', { extensions: { number } });

const inUse = () =>
  new Problem(409, 'series_in_use', 'numbers of this year are given out here already, so none can be brought any more');
