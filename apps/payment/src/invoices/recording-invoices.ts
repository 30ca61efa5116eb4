/**
 * Writes invoices. Those that come at the same time share one transaction, and one lock of each series: it gives out their
 * numbers, writes them, and keeps for the tax service what it has to be told. What does not commit has taken no number.
 */
import { Injectable } from '@nestjs/common';
import { Database, GATHER_MS, Lane, type Tx } from '@shop/postgres';
import { type OrderKey, touchCreditChecks } from './credit-checks.repository';
import type { InvoiceKey, InvoiceKind } from './invoice';
import {
  findInvoicesOf,
  insertInvoices,
  lockSeriesOfYear,
  saveSeries,
  type StoredInvoice,
} from './invoices.repository';
import { type Draft, type Issued, issueAll } from './issuing';
import { queueTaxTasks } from './tax-tasks.repository';

const KIND: InvoiceKind = 'invoice';

@Injectable()
export class RecordingInvoices {
  private readonly recording: Lane<Draft, StoredInvoice>;
  private readonly finding: Lane<OrderKey, StoredInvoice | undefined>;

  constructor(private readonly database: Database) {
    this.recording = new Lane({
      name: 'record-invoices',
      turnOf: ({ tenant }) => tenant,
      gatherMs: GATHER_MS,
      run: (drafts) => this.recordAll(drafts),
    });
    this.finding = new Lane({
      name: 'find-invoices',
      turnOf: ({ tenant }) => tenant,
      run: (orders) => this.findAll(orders),
    });
  }

  /** Writes an invoice and gives it its number. If its order has one already, that one is the answer. */
  record(draft: Draft): Promise<StoredInvoice> {
    return this.recording.submit(draft);
  }

  /** The invoice of an order; one indexed read, which all callers at the same time share. */
  find(order: OrderKey): Promise<StoredInvoice | undefined> {
    return this.finding.submit(order);
  }

  private recordAll(drafts: readonly Draft[]): Promise<StoredInvoice[]> {
    return this.database.transaction(async (tx) => {
      touchCreditChecks(tx, drafts);
      const tenants = drafts.map(({ tenant }) => tenant);
      // These are sent together and run in this order, so the invoices are read under the locks.
      const [series, known] = await Promise.all([lockSeriesOfYear(tx, tenants, KIND), findInvoicesOf(tx, drafts)]);
      const issued = issueAll(drafts, series, { known, nameOf: orderOf });
      save(tx, issued);
      return issued.invoices;
    });
  }

  private async findAll(orders: readonly OrderKey[]): Promise<(StoredInvoice | undefined)[]> {
    const found = await findInvoicesOf(this.database, orders);
    const byOrder = new Map(found.map((invoice) => [orderOf(invoice), invoice]));
    return orders.map((order) => byOrder.get(orderOf(order)));
  }
}

/**
 * Sends what was issued: the papers, the series, and what the tax service has to be told.
 * @param untold invoices of whose credit notes it is told nothing
 */
export function save(tx: Tx, { made, series }: Issued, { untold = [] }: { untold?: readonly InvoiceKey[] } = {}): void {
  insertInvoices(tx, made);
  saveSeries(tx, series);
  const unknown = new Set(untold.map(paperOf));
  const told = made.filter(
    ({ tenant, number, credits }) => !unknown.has(paperOf({ tenant, number: credits ?? number })),
  );
  const tasks = told.map(({ tenant, kind, number, credits, currency, totals }) => ({
    tenant,
    kind: kind === 'invoice' ? ('commit' as const) : ('refund' as const),
    number,
    invoice: credits ?? number,
    currency,
    rates: totals.rates,
  }));
  queueTaxTasks(tx, tasks);
}

const orderOf = ({ tenant, orderId }: { tenant: string; orderId: string | null }): string => `${tenant}\n${orderId}`;

const paperOf = ({ tenant, number }: InvoiceKey): string => `${tenant}\n${number}`;
