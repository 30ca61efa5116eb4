/**
 * `POST /invoices`: makes the invoice of an order, once.
 *
 * The order service and the tax service are only read, so a request that fails at them has done nothing, and its key may
 * come again. Then the invoice is written with its number, and keeps the name of this work. Whoever goes on after a crash
 * finds it by its order, and makes no second one.
 */
import { Injectable } from '@nestjs/common';
import { isVisible, etagOf } from '@shop/http';
import {
  answerWith,
  type Claim,
  type Done,
  Idempotency,
  type LeasedWork,
  type Outcome,
  refusalOf,
} from '@shop/idempotency';
import { counter } from '@shop/observability';
import { Problem } from '@shop/problem';
import { RetryableError } from '@shop/resilience';
import { pathOf } from './invoice';
import { invoiceJson } from './invoice.view';
import type { StoredInvoice } from './invoices.repository';
import { grossOf, Ordered, type SeenOrder } from './ordered';
import { RecordingInvoices } from './recording-invoices';
import { Tax, TaxRefusedError, TaxUnavailableError } from './tax';
import { totalsOf } from './totals';

export interface WantedInvoice {
  tenant: string;
  orderId: string;
  /** Only if this principal has placed the order. Absent for an operator. */
  placedBy?: string;
}

/** A tax service that has failed four times needs some rest. */
const RETRY_AFTER_SECONDS = 5;

const made = counter('payment_invoices_total', 'Requests for an invoice, by what came of them', ['outcome']);

@Injectable()
export class IssueInvoice {
  readonly perform: (claim: Claim, wanted: WantedInvoice) => Promise<Outcome>;

  constructor(
    idempotency: Idempotency,
    private readonly orders: Ordered,
    private readonly tax: Tax,
    private readonly recording: RecordingInvoices,
  ) {
    this.perform = idempotency.leased('issue-invoice', (work, wanted: WantedInvoice) => this.run(work, wanted));
  }

  private async run(work: LeasedWork, wanted: WantedInvoice): Promise<Done> {
    try {
      const known = await this.recording.find(wanted);
      return await this.answer(work, wanted, known ?? (await this.issue(work, wanted)));
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      made.inc({ outcome: error.body.code });
      // What is said against it is true now, and may be false when the order has gone on.
      return work.finishWith({ ...refusalOf(error), kept: false }, nothing, null, wanted.tenant);
    }
  }

  private async issue(work: LeasedWork, wanted: WantedInvoice): Promise<StoredInvoice> {
    const { tenant, orderId } = wanted;
    const order = await this.read(wanted);
    const asked = order.items.map((item) => ({ sku: item.sku, quantity: item.quantity, gross: grossOf(item) }));
    const { currency } = order.total;
    const rates = await this.quote({ tenant, currency, lines: asked });
    const amounts = totalsOf(asked.map((line, index) => ({ ...line, rate: rates[index]! })));
    const placedBy = order.placedBy ?? null;
    const none = { credits: null, refundId: null };
    const madeBy = work.id;
    return this.recording.record({ tenant, kind: 'invoice', orderId, placedBy, madeBy, currency, ...amounts, ...none });
  }

  /** @throws Problem when there is nothing to invoice, or nobody can tell now */
  private async read(wanted: WantedInvoice): Promise<SeenOrder> {
    const order = await this.orders.read(wanted).catch((cause: unknown) => {
      throw cause instanceof RetryableError
        ? unavailable('orders_unavailable', 'the order cannot be read', cause)
        : cause;
    });
    if (!order || !isVisible(order, wanted)) throw unknownOrder();
    if (order.status !== 'confirmed') {
      throw new Problem(
        409,
        'order_not_confirmed',
        `the order is ${order.status}, and only a confirmed one is invoiced`,
      );
    }
    return order;
  }

  /** @throws Problem when the tax service does not tell the rates */
  private async quote(request: Parameters<Tax['quote']>[0]): Promise<number[]> {
    try {
      return await this.tax.quote(request);
    } catch (cause) {
      if (cause instanceof TaxUnavailableError) {
        throw unavailable('tax_unavailable', 'the tax service does not answer', cause);
      }
      if (cause instanceof TaxRefusedError) {
        throw new Problem(422, 'tax_refused', 'the tax service has no rates for this order', {
          cause,
          extensions: { taxCode: cause.code },
        });
      }
      throw cause;
    }
  }

  private answer(work: LeasedWork, wanted: WantedInvoice, invoice: StoredInvoice): Promise<Done> {
    if (!isVisible(invoice, wanted)) throw unknownOrder();
    const isNew = invoice.madeBy === work.id;
    made.inc({ outcome: isNew ? 'issued' : 'found' });
    const headers = { location: pathOf(invoice), etag: etagOf(invoice.version) };
    const answer = answerWith(isNew ? 201 : 200, invoiceJson(invoice), headers);
    return work.finishWith(answer, nothing, null, wanted.tenant);
  }
}

/** The invoice is written already. Only the answer is. */
const nothing = (): void => undefined;

/** The same for an order of somebody else. */
const unknownOrder = (): Problem => new Problem(422, 'unknown_order', 'there is no such order');

const unavailable = (code: string, detail: string, cause: RetryableError): Problem => {
  const seconds = Math.max(RETRY_AFTER_SECONDS, Math.ceil((cause.retryAfterMs ?? 0) / 1_000));
  const more = '; no invoice was made, and the same request with the same key may come again';
  return new Problem(503, code, detail + more, { cause, headers: { 'retry-after': `${seconds}` } });
};
