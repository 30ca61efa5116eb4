/**
 * Makes credit notes for refunds, behind their transactions: money never waits for paper. Every replica does so, each for
 * other orders. A look at an order compares its refunds with its credit notes and makes those that are missing, so any
 * number of looks makes each of them once.
 */
import { counter, type Logger } from '@shop/observability';
import { type Database, isPassing, type Tx } from '@shop/postgres';
import { Repeating } from '@shop/resilience';
import { findGivenBack } from '../refunds/refunds.repository';
import { type DueCheck, holdDueChecks, type OrderKey, putCheckOff, removeChecks } from './credit-checks.repository';
import { creditsFor } from './credit-plan';
import type { InvoiceKind } from './invoice';
import { findCreditNotes, findInvoicesOf, lockSeriesOfYear, type NewInvoice } from './invoices.repository';
import { type Draft, issueAll } from './issuing';
import { save } from './recording-invoices';

export interface CreditingOptions {
  database: Database;
  logger: Logger;
  /** How often to look for orders. */
  everyMs?: number;
}

const LOOK_EVERY_MS = 1_000;
/** The locks of a transaction are held for some milliseconds. */
const MAX_ORDERS = 50;
/** As much as the table keeps. */
const MAX_ERROR_LENGTH = 300;
const KIND: InvoiceKind = 'credit_note';

const credited = counter('payment_credit_notes_total', 'Credit notes that were made for refunds');

export class CreditingRefunds {
  private readonly looking: Repeating;
  private stopped = false;

  constructor(private readonly options: CreditingOptions) {
    const { logger, everyMs = LOOK_EVERY_MS } = options;
    this.looking = new Repeating(() => this.lookAtAll(), {
      everyMs,
      onFailure: (error) => logger.warn({ reason: (error as Error).message }, 'credit_note.look.failed'),
    });
  }

  start(): void {
    this.looking.start();
  }

  stop(): Promise<void> {
    this.stopped = true;
    return this.looking.stop();
  }

  /** Until no order is due. */
  private async lookAtAll(): Promise<void> {
    for (let seen = MAX_ORDERS; seen === MAX_ORDERS && !this.stopped;) seen = await this.lookAt(MAX_ORDERS);
  }

  /** If a look at many fails, each is looked at alone, so that one cannot hold up the others. */
  private async lookAt(limit: number): Promise<number> {
    let held: DueCheck[] = [];
    try {
      return await this.options.database.transaction(async (tx) => {
        held = await holdDueChecks(tx, limit);
        if (held.length > 0) await this.credit(tx, held);
        return held.length;
      });
    } catch (error) {
      if (isPassing(error) || held.length === 0) throw error;
      if (held.length === 1) await this.putOff(held[0]!, error as Error);
      else for (let left = held.length; left > 0; left--) await this.lookAt(1);
      return held.length;
    }
  }

  private async putOff(order: OrderKey, { name, message }: Error): Promise<void> {
    const { database, logger } = this.options;
    await putCheckOff(database, order, `${name}: ${message}`.slice(0, MAX_ERROR_LENGTH));
    logger.error({ orderId: order.orderId, reason: message }, 'credit_note.failed');
  }

  private async credit(tx: Tx, orders: readonly OrderKey[]): Promise<void> {
    removeChecks(tx, orders);
    const [invoices, refunds] = await Promise.all([findInvoicesOf(tx, orders), findGivenBack(tx, orders)]);
    const notes = await findCreditNotes(tx, invoices);
    const drafts = invoices.flatMap((invoice): Draft[] => {
      const { tenant, number, orderId, placedBy, currency } = invoice;
      const own = notes.filter((note) => note.tenant === tenant && note.credits === number);
      const back = refunds.filter((refund) => refund.tenant === tenant && refund.orderId === orderId);
      const shared = { tenant, kind: KIND, orderId: orderId!, placedBy, madeBy: null, currency, lines: [] };
      return creditsFor(invoice, own, back).map((credit) => ({ ...shared, ...credit, credits: number }));
    });
    if (drafts.length === 0) return;
    const tenants = drafts.map(({ tenant }) => tenant);
    const series = await lockSeriesOfYear(tx, tenants, KIND);
    const nameOf = ({ tenant, refundId }: Pick<Draft, 'tenant' | 'refundId'>) => `${tenant}\n${refundId}`;
    const issued = issueAll(drafts, series, { known: notes, nameOf });
    // The tax service does not know an invoice that was brought.
    const brought = invoices.filter(({ origin }) => origin === 'brought');
    save(tx, issued, { untold: brought });
    tx.afterCommit(() => issued.made.forEach((note) => this.tell(note)));
  }

  private tell({ number, credits, refundId, orderId }: NewInvoice): void {
    credited.inc();
    this.options.logger.info({ number, invoice: credits, refundId, orderId }, 'credit_note.made');
  }
}
