/**
 * The tables of invoices and of their series. Every statement of the transactions that write an invoice is here.
 *
 * All of them first touch the orders (`credit-checks.repository.ts`), then lock the series, each in key order. The row
 * of a series is held until the commit. So its numbers are given out one after the other, and one that is not committed
 * was never given out.
 */
import { rowsOf, type Statement, type Tx } from '@shop/postgres';
import type { Invoice, InvoiceKey, InvoiceKind, InvoiceOrigin, SeriesKey } from './invoice';
import type { InvoiceLine, TaxOfRate } from './totals';

/** A series, held until the commit. */
export interface Series extends SeriesKey {
  /** Its last number; 0 for none. */
  last: number;
  /** The first number that was given out here. Null while all were brought. */
  firstIssued: number | null;
  /** The time for the next one: now, and never before that of the last one. */
  time: string;
}

/** An invoice that is not written yet. The columns of `made_by` are those of an issued one only. */
export interface NewInvoice extends Omit<Invoice, 'version'> {
  /** The claim of the request that makes it. Null for what no request makes. */
  madeBy: string | null;
}

/** An invoice as it is stored. */
export interface StoredInvoice extends Invoice {
  madeBy: string | null;
}

interface Row {
  tenant: string;
  number: string;
  kind: InvoiceKind;
  origin: InvoiceOrigin;
  order_id: string | null;
  placed_by: string | null;
  made_by: string | null;
  credits: string | null;
  refund_id: string | null;
  currency: string;
  lines: InvoiceLine[];
  rates: TaxOfRate[];
  gross: number;
  net: number;
  tax: number;
  issued_at: Date;
  version: number;
}

interface SeriesRow {
  tenant: string;
  kind: InvoiceKind;
  year: number;
  last: number;
  first_issued: number | null;
  time: Date;
}

/** Locks the series of this year of these tenants. Those that are not there are begun. */
export async function lockSeriesOfYear(tx: Tx, tenants: readonly string[], kind: InvoiceKind): Promise<Series[]> {
  return (await tx.query<SeriesRow>(lockOfYear, [[...new Set(tenants)], kind])).map(seriesOf);
}

/** Locks a series, which is begun if it is not there. */
export async function lockSeries(tx: Tx, { tenant, kind, year }: SeriesKey): Promise<Series> {
  const [row] = await tx.query<SeriesRow>(lockOne, [tenant, kind, year]);
  return seriesOf(row!);
}

/** Sends what was given out of series that this transaction has locked. */
export function saveSeries(tx: Tx, series: readonly Series[]): void {
  if (series.length === 0) return;
  const rows = series.map(({ firstIssued, ...one }) => ({ ...one, first_issued: firstIssued }));
  tx.send(updateSeries, [rowsOf(rows)]);
}

/** The invoices of these orders. There is one at most for each. */
export async function findInvoicesOf(
  tx: Pick<Tx, 'query'>,
  orders: readonly { tenant: string; orderId: string }[],
): Promise<StoredInvoice[]> {
  const tenants = orders.map(({ tenant }) => tenant);
  const ids = orders.map(({ orderId }) => orderId);
  return (await tx.query<Row>(selectOfOrders, [tenants, ids])).map(invoiceOf);
}

export async function findInvoice(
  tx: Pick<Tx, 'query'>,
  { tenant, number }: InvoiceKey,
): Promise<StoredInvoice | undefined> {
  const [row] = await tx.query<Row>(selectOne, [tenant, number]);
  return row && invoiceOf(row);
}

/** The credit notes of these invoices. */
export async function findCreditNotes(
  tx: Pick<Tx, 'query'>,
  invoices: readonly InvoiceKey[],
): Promise<StoredInvoice[]> {
  const tenants = invoices.map(({ tenant }) => tenant);
  const numbers = invoices.map(({ number }) => number);
  return (await tx.query<Row>(selectCredits, [tenants, numbers])).map(invoiceOf);
}

/** Sends new invoices. The series of all of them are locked. */
export function insertInvoices(tx: Tx, invoices: readonly NewInvoice[]): void {
  if (invoices.length > 0) tx.send(insertMany, [rowsOf(invoices.map(rowOf))]);
}

/** Replaces a brought invoice, and returns it as it is now. Its series is locked. */
export async function replaceInvoice(tx: Tx, invoice: NewInvoice): Promise<StoredInvoice> {
  const [row] = await tx.query<Row>(replaceOne, [rowsOf([rowOf(invoice)])]);
  return invoiceOf(row!);
}

export const invoiceOf = (row: Row): StoredInvoice => ({
  tenant: row.tenant,
  number: row.number,
  kind: row.kind,
  origin: row.origin,
  orderId: row.order_id,
  placedBy: row.placed_by,
  madeBy: row.made_by,
  credits: row.credits,
  refundId: row.refund_id,
  currency: row.currency,
  lines: row.lines,
  totals: { gross: row.gross, net: row.net, tax: row.tax, rates: row.rates },
  issuedAt: row.issued_at.toISOString(),
  version: row.version,
});

const rowOf = ({ orderId, placedBy, madeBy, refundId, issuedAt, totals, ...invoice }: NewInvoice) => ({
  ...invoice,
  ...totals,
  order_id: orderId,
  placed_by: placedBy,
  made_by: madeBy,
  refund_id: refundId,
  issued_at: issuedAt,
});

const seriesOf = ({ first_issued, time, ...series }: SeriesRow): Series => ({
  ...series,
  firstIssued: first_issued,
  time: time.toISOString(),
});

const columns =
  'tenant, number, kind, origin, order_id, placed_by, made_by, credits, refund_id, currency, lines, rates, gross, net, tax, issued_at, version';
const columnsOf = (alias: string) => columns.replaceAll(/\w+/g, (column) => `${alias}.${column}`);

const given = `jsonb_to_recordset($1::jsonb) as c (
      tenant text, number text, kind text, origin text, order_id uuid, placed_by text, made_by text, credits text,
      refund_id text, currency text, lines jsonb, rates jsonb, gross bigint, net bigint, tax bigint,
      issued_at timestamptz)`;

// An update of nothing is what locks a row that is there. A transaction may have begun before the one that had the lock
// last, and its `now()` is then the earlier one: so a number never has an earlier time than the number before it.
const lockedSeries = `
    on conflict (tenant, kind, year) do update set last = s.last
    returning s.tenant, s.kind, s.year, s.last, s.first_issued, greatest(now(), s.last_issued_at) as time`;

const lockOfYear: Statement = {
  name: 'invoice-series.lock-of-year',
  text: `
    insert into invoice_series as s (tenant, kind, year, last)
    select tenant, $2, extract(year from now() at time zone 'utc')::int, 0
    from unnest($1::text[]) as t (tenant) order by tenant
    ${lockedSeries}`,
};

const lockOne: Statement = {
  name: 'invoice-series.lock-one',
  text: `insert into invoice_series as s (tenant, kind, year, last) values ($1, $2, $3, 0) ${lockedSeries}`,
};

const updateSeries: Statement = {
  name: 'invoice-series.update',
  text: `
    update invoice_series s
    set last = c.last, first_issued = c.first_issued,
        last_issued_at = case when c.first_issued is null then s.last_issued_at else c.time end
    from jsonb_to_recordset($1::jsonb) as c (
      tenant text, kind text, year int, last int, first_issued int, time timestamptz)
    where s.tenant = c.tenant and s.kind = c.kind and s.year = c.year`,
};

const selectOfOrders: Statement = {
  name: 'invoice.select-of-orders',
  text: `
    select ${columnsOf('i')}
    from unnest($1::text[], $2::uuid[]) as k (tenant, order_id)
    join invoice i on i.tenant = k.tenant and i.order_id = k.order_id and i.kind = 'invoice'`,
};

const selectOne: Statement = {
  name: 'invoice.select-one',
  text: `select ${columns} from invoice where tenant = $1 and number = $2`,
};

const selectCredits: Statement = {
  name: 'invoice.select-credits',
  text: `
    select ${columnsOf('i')}
    from unnest($1::text[], $2::text[]) as k (tenant, number)
    join invoice i on i.tenant = k.tenant and i.credits = k.number
    order by i.tenant, i.number`,
};

const insertMany: Statement = {
  name: 'invoice.insert-many',
  text: `
    insert into invoice (tenant, number, kind, origin, order_id, placed_by, made_by, credits, refund_id, currency,
                         lines, rates, gross, net, tax, issued_at)
    select tenant, number, kind, origin, order_id, placed_by, made_by, credits, refund_id, currency,
           lines, rates, gross, net, tax, issued_at
    from ${given}`,
};

const replaceOne: Statement = {
  name: 'invoice.replace-one',
  text: `
    update invoice i
    set order_id = c.order_id, currency = c.currency, lines = c.lines, rates = c.rates, gross = c.gross, net = c.net,
        tax = c.tax, issued_at = c.issued_at, version = i.version + 1, updated_at = now()
    from ${given}
    where i.tenant = c.tenant and i.number = c.number and i.origin = 'brought'
    returning ${columnsOf('i')}`,
};
