/** `PUT /invoices/{number}`: keeps an invoice that was made elsewhere, under the number that it has. It converges. */
import { Injectable } from '@nestjs/common';
import type { Preconditions } from '@shop/http';
import { Database } from '@shop/postgres';
import { Problem } from '@shop/problem';
import { validationFailed } from '@shop/validation';
import { bring } from './bringing';
import { touchCreditChecks } from './credit-checks.repository';
import { type Invoice, type InvoiceKey, type PlaceInSeries, sameId } from './invoice';
import type { BroughtInvoiceBody } from './invoice.body';
import {
  findCreditNotes,
  findInvoice,
  findInvoicesOf,
  insertInvoices,
  lockSeries,
  type NewInvoice,
  replaceInvoice,
  saveSeries,
} from './invoices.repository';
import { faultInTotals } from './totals';

export interface BringWish {
  key: InvoiceKey;
  place: PlaceInSeries;
  body: BroughtInvoiceBody;
  preconditions: Preconditions;
}

@Injectable()
export class BringInvoice {
  constructor(private readonly database: Database) {}

  /** @throws Problem 422 `totals_do_not_add_up`, 409 why it is not taken, 412 as `requireMatch` does */
  async put({ key, place, body, preconditions }: BringWish): Promise<{ invoice: Invoice; isNew: boolean }> {
    const invoice = invoiceOf(key, body);
    const fault = faultInTotals(invoice.lines, invoice.totals);
    if (fault) throw new Problem(422, 'totals_do_not_add_up', fault);
    const { orderId } = invoice;
    const orders = orderId === null ? [] : [{ tenant: key.tenant, orderId }];
    return this.database.transaction(async (tx) => {
      touchCreditChecks(tx, orders);
      // These are sent together and run in this order, so all is read under the lock of the series.
      const [series, known, [ofOrder], credits] = await Promise.all([
        lockSeries(tx, { tenant: key.tenant, ...place }),
        findInvoice(tx, key),
        findInvoicesOf(tx, orders),
        findCreditNotes(tx, [key]),
      ]);
      const brought = bring(invoice, place, { series, known, ofOrder, isCredited: credits.length > 0 }, preconditions);
      if (brought.act === 'keep') return { invoice: brought.known, isNew: false };
      if (brought.act === 'replace') return { invoice: await replaceInvoice(tx, invoice), isNew: false };
      insertInvoices(tx, [invoice]);
      saveSeries(tx, [brought.series]);
      return { invoice: { ...invoice, version: 1 }, isNew: true };
    });
  }
}

function invoiceOf({ tenant, number }: InvoiceKey, body: BroughtInvoiceBody): NewInvoice {
  const { currency, lines, totals } = body;
  return {
    tenant,
    number,
    kind: 'invoice',
    origin: 'brought',
    orderId: body.orderId === undefined ? null : sameId(body.orderId),
    placedBy: null,
    madeBy: null,
    credits: null,
    refundId: null,
    currency,
    lines,
    totals: { ...totals, rates: [...totals.rates].sort((one, other) => other.rate - one.rate) },
    issuedAt: timeOf(body.issuedAt),
  };
}

/** A text of the right form may still be no time, as a leap second is none here. */
function timeOf(text: string): string {
  const time = new Date(text);
  if (Number.isNaN(time.getTime())) throw validationFailed([{ path: 'issuedAt', message: 'must be a time' }]);
  return time.toISOString();
}
