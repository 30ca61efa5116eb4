/** An invoice or a credit note, its number, and what is said against requests for one. Pure. */
import { Problem } from '@shop/problem';
import type { InvoiceLine, Totals } from './totals';

export const invoiceKinds = ['invoice', 'credit_note'] as const;
export type InvoiceKind = (typeof invoiceKinds)[number];

/** `issued`: made and numbered here. `brought`: made by somebody else, and kept here under the number that it has. */
export const invoiceOrigins = ['issued', 'brought'] as const;
export type InvoiceOrigin = (typeof invoiceOrigins)[number];

export interface Invoice {
  tenant: string;
  number: string;
  kind: InvoiceKind;
  origin: InvoiceOrigin;
  /** Only a brought one may belong to no order. */
  orderId: string | null;
  /** Who placed the order, and sees its invoice. Null if only operators see it. */
  placedBy: string | null;
  currency: string;
  /** None on a credit note, which takes off the rates of its invoice. */
  lines: InvoiceLine[];
  totals: Totals;
  /** On a credit note, the number of the invoice. */
  credits: string | null;
  /** On a credit note, the refund that it is for. */
  refundId: string | null;
  issuedAt: string;
  version: number;
}

export interface InvoiceKey {
  tenant: string;
  number: string;
}

/** The numbers of a series follow one another without a gap. */
export interface SeriesKey {
  tenant: string;
  kind: InvoiceKind;
  year: number;
}

const prefixes: Record<InvoiceKind, string> = { invoice: 'INV', credit_note: 'CN' };
/** A number has more digits only when it needs them. */
const MIN_DIGITS = 4;
/** Eight digits at most: whatever is brought, a series never comes to its end. */
export const INVOICE_NUMBER = /^(INV|CN)-([1-9]\d{3})-(\d{4}|[1-9]\d{4,7})$/;

export const numberOf = ({ kind, year }: Pick<SeriesKey, 'kind' | 'year'>, place: number): string =>
  `${prefixes[kind]}-${year}-${String(place).padStart(MIN_DIGITS, '0')}`;

export interface PlaceInSeries {
  kind: InvoiceKind;
  year: number;
  /** From 1. */
  place: number;
}

/** What a number says. Undefined for a text that no number of ours is. */
export function placeIn(number: string): PlaceInSeries | undefined {
  const [, prefix, year, digits] = INVOICE_NUMBER.exec(number) ?? [];
  const place = Number(digits);
  if (prefix === undefined || place === 0) return undefined;
  return { kind: prefix === prefixes.invoice ? 'invoice' : 'credit_note', year: Number(year), place };
}

/** An id in capital letters is the same id, and would be another text. */
export const sameId = (id: string): string => id.toLowerCase();

/** Numbers have no character that an address would have to escape. */
export const pathOf = ({ number }: Pick<Invoice, 'number'>): string => `/invoices/${number}`;

export const invoiceNotFound = (): Problem => new Problem(404, 'invoice_not_found', 'there is no such invoice');
