/**
 * What inventory, payment and fulfilment know, for a screen. Nothing is decided by it: an order is decided on by its saga, and by
 * commands that may take their time. So a neighbour that is away makes a screen poorer, and nothing else.
 */
import type { Away, Neighbour } from '@shop/service';
import {
  SeenDeliveries,
  type SeenDelivery,
  SeenEntries,
  type SeenEntry,
  type SeenInvoice,
  SeenInvoices,
  SeenPaymentId,
  SeenPaymentIds,
  SeenPayments,
  type SeenPayment,
  SeenReservation,
  type SeenStock,
  SeenStocks,
} from './answers';

/** Those who carry out commands of sagas. */
export const executors = ['inventory', 'payment', 'fulfilment'] as const;
export type Executor = (typeof executors)[number];

/** The most SKUs that inventory is asked for at once. An order has as many lines at most. */
const MAX_SKUS = 100;
/** The most commands that a ledger is asked for at once. A saga has three steps; the rest is corrected by hand. */
const MAX_COMMANDS = 40;

export class Neighbours {
  constructor(
    private readonly inventory: Pick<Neighbour, 'ask'>,
    private readonly payment: Pick<Neighbour, 'ask'>,
    private readonly fulfilment: Pick<Neighbour, 'ask'>,
  ) {}

  /** The stock of these SKUs, at most 100 of them. One that inventory does not know is not in it. */
  async readStock(tenant: string, skus: readonly string[]): Promise<ReadonlyMap<string, SeenStock> | Away> {
    const asked = new Set(skus.slice(0, MAX_SKUS));
    if (asked.size === 0) return new Map();
    const stocks = await this.inventory.ask({
      tenant,
      path: `/stock?skus=${encodeURIComponent([...asked].join())}&limit=${asked.size}`,
      type: SeenStocks,
      fits: ({ items }) => items.every(({ sku }) => asked.has(sku)),
    });
    return stocks === undefined || stocks === 'away'
      ? 'away'
      : new Map(stocks.items.map((stock) => [stock.sku, stock]));
  }

  /** Undefined when inventory has none with this id. The reservation of an order has the id of the saga that placed it. */
  readReservation(tenant: string, id: string): Promise<SeenReservation | undefined | Away> {
    return this.inventory.ask({
      tenant,
      path: `/reservations/${encodeURIComponent(id)}`,
      type: SeenReservation,
      fits: (reservation) => reservation.id === id,
      absent: 'reservation_not_found',
    });
  }

  /** Undefined when payment has none of this order. An order has one at most: it is made by one command. */
  async readPaymentOf(tenant: string, orderId: string): Promise<SeenPayment | undefined | Away> {
    const payments = await this.payment.ask({
      tenant,
      path: `/payments?orderId=${encodeURIComponent(orderId)}&limit=1`,
      type: SeenPayments,
      fits: ({ items }) => items.every((payment) => payment.orderId === orderId),
    });
    return payments === 'away' ? 'away' : payments?.items[0];
  }

  /** The order that this payment belongs to; none if it belongs to no order, or payment does not know it. */
  async readOrderOfPayment(tenant: string, id: string): Promise<string[] | Away> {
    const payment = await this.payment.ask({
      tenant,
      path: `/payments/${encodeURIComponent(id)}`,
      type: SeenPaymentId,
      fits: (seen) => seen.id === id,
      absent: 'payment_not_found',
    });
    return payment === 'away' ? 'away' : ordersOf(payment ? [payment] : []);
  }

  /** The orders whose payments, or refunds of them, the provider calls so. */
  async readOrdersOfReference(tenant: string, reference: string): Promise<string[] | Away> {
    const payments = await this.payment.ask({
      tenant,
      path: `/payments?reference=${encodeURIComponent(reference)}&limit=10`,
      type: SeenPaymentIds,
      // An earlier release of payment does not know the question, and refuses it.
      fits: ({ items }) => items.length <= 10,
    });
    return payments === 'away' ? 'away' : ordersOf(payments?.items ?? []);
  }

  /** Undefined when payment has made none for this order, or not yet. */
  async readInvoiceOf(tenant: string, orderId: string): Promise<SeenInvoice | undefined | Away> {
    const invoices = await this.payment.ask({
      tenant,
      path: `/invoices?orderId=${encodeURIComponent(orderId)}&kind=invoice&limit=1`,
      type: SeenInvoices,
      fits: ({ items }) => items.every((invoice) => invoice.orderId === orderId && invoice.kind === 'invoice'),
    });
    return invoices === 'away' ? 'away' : invoices?.items[0];
  }

  /** Undefined when fulfilment has none of this order yet. An order has one at most. */
  async readDeliveryOf(tenant: string, orderId: string): Promise<SeenDelivery | undefined | Away> {
    const deliveries = await this.fulfilment.ask({
      tenant,
      path: `/deliveries?orderId=${encodeURIComponent(orderId)}&limit=1`,
      type: SeenDeliveries,
      fits: ({ items }) => items.every((delivery) => delivery.orderId === orderId),
    });
    return deliveries === 'away' ? 'away' : deliveries?.items[0];
  }

  /** What the ledger of a service knows of these commands, at most 40 of them. */
  async readEntries(service: Executor, tenant: string, ids: readonly string[]): Promise<SeenEntry[] | Away> {
    const asked = new Set(ids.slice(0, MAX_COMMANDS));
    const entries = await this[service].ask({
      tenant,
      path: `/ledger-entries?ids=${encodeURIComponent([...asked].join())}`,
      type: SeenEntries,
      fits: ({ items }) => items.every(({ id }) => asked.has(id)),
    });
    return entries === undefined || entries === 'away' ? 'away' : entries.items;
  }
}

const ordersOf = (payments: readonly SeenPaymentId[]): string[] => payments.flatMap(({ orderId }) => orderId ?? []);
