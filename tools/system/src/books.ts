/** Whether nothing was lost and nothing doubled: orders, stock, payments, what follows, and the provider's list must agree. */
import { auditAfter, type FollowedOrder } from './after-books';
import type { ApiClient } from './api-client';

interface Order extends FollowedOrder {
  items: { sku: string; quantity: number }[];
}

interface Stock {
  sku: string;
  onHand: number;
  reserved: number;
  /** Of a bundle, which has no pieces of its own. */
  components?: { sku: string; quantity: number }[];
}

interface Payment {
  id: string;
  orderId: string | null;
  amount: number;
  status: string;
  refunded: number;
}

interface Charge {
  /** In the units of the provider, which are not ours for some currencies. */
  amount: number;
  refunded: number;
  metadata: { paymentId?: string };
}

export interface BooksReport {
  orders: number;
  confirmed: number;
  cancelled: number;
  unsettled: number;
  /** One sentence for each fault. */
  faults: string[];
}

export interface BooksOptions {
  order: ApiClient;
  inventory: ApiClient;
  payment: ApiClient;
  /** The provider's own list, where there is one. */
  sandbox?: ApiClient;
  /** With the sandbox, which is the carrier and gets the mails: what follows the orders is compared too. */
  fulfilment?: ApiClient;
  /** Fulfilment for other tenants that have ordered, whose parcels the carrier has too. */
  neighbours?: readonly ApiClient[];
  /** Pieces on hand by SKU before the first order. */
  initialStock: Record<string, number>;
}

export async function auditBooks(options: BooksOptions): Promise<BooksReport> {
  const { sandbox, fulfilment, neighbours } = options;
  const orders = await options.order.all<Order>('/orders');
  const stock = await options.inventory.all<Stock>('/stock');
  const payments = await options.payment.all<Payment>('/payments');
  const charges = sandbox && (await sandbox.get<{ charges: Charge[] }>('/admin/charges')).body.charges;
  const confirmed = orders.filter(({ status }) => status === 'confirmed');
  const cancelled = orders.filter(({ status }) => status === 'cancelled');
  const unsettled = orders.filter(({ status }) => status !== 'confirmed' && status !== 'cancelled');
  return {
    orders: orders.length,
    confirmed: confirmed.length,
    cancelled: cancelled.length,
    unsettled: unsettled.length,
    faults: [
      ...unsettled.map(({ id, status }) => `order ${id} is still ${status}`),
      ...faultsOfStock(confirmed, stock, options.initialStock),
      ...faultsOfPayments(orders, payments),
      ...(charges ? faultsOfCharges(payments, charges) : []),
      ...(fulfilment && sandbox ? await auditAfter(orders, { fulfilment, sandbox, neighbours }) : []),
    ],
  };
}

function faultsOfStock(confirmed: Order[], stock: Stock[], initial: Record<string, number>): string[] {
  const bundles = new Map(stock.map(({ sku, components }) => [sku, components]));
  const sold = new Map<string, number>();
  for (const { items } of confirmed) {
    for (const { sku, quantity } of items) {
      for (const part of bundles.get(sku) ?? [{ sku, quantity: 1 }]) {
        sold.set(part.sku, (sold.get(part.sku) ?? 0) + part.quantity * quantity);
      }
    }
  }
  return stock.flatMap(({ sku, onHand, reserved }) => {
    const expected = (initial[sku] ?? 0) - (sold.get(sku) ?? 0);
    return [
      ...(onHand === expected ? [] : [`${sku}: ${onHand} on hand, ${expected} expected`]),
      ...(reserved === 0 ? [] : [`${sku}: ${reserved} still reserved`]),
    ];
  });
}

/** Statuses of payments that have no outcome yet. */
const open = ['pending', 'requires_action', 'processing'];

function faultsOfPayments(orders: Order[], payments: Payment[]): string[] {
  const kept = new Map<string, Payment[]>();
  for (const payment of payments) {
    const { orderId, status, refunded, amount } = payment;
    // A payment over HTTP belongs to no order.
    if (orderId === null || status !== 'succeeded' || refunded === amount) continue;
    kept.set(orderId, [...(kept.get(orderId) ?? []), payment]);
  }
  const pending = payments
    .filter(({ status }) => open.includes(status))
    .map(({ id, status }) => `payment ${id} is still ${status}`);
  const wrong = orders.flatMap(({ id, status, total }) => {
    const amounts = (kept.get(id) ?? []).map(({ amount }) => amount);
    kept.delete(id);
    const expected = status === 'confirmed' && total.amount > 0 ? [total.amount] : [];
    return String(amounts) === String(expected)
      ? []
      : [`order ${id} is ${status} and keeps payments of [${amounts.join(', ')}]`];
  });
  return [...pending, ...wrong, ...[...kept.keys()].map((id) => `a payment is kept for the unknown order ${id}`)];
}

function faultsOfCharges(payments: Payment[], charges: Charge[]): string[] {
  const byPayment = new Map<string, Charge[]>();
  for (const charge of charges) {
    const id = charge.metadata.paymentId ?? '';
    byPayment.set(id, [...(byPayment.get(id) ?? []), charge]);
  }
  return payments.flatMap(({ id, amount, status, refunded }) => {
    const taken = byPayment.get(id) ?? [];
    const expected = status === 'succeeded' && amount > 0 ? 1 : 0;
    if (taken.length !== expected) return [`payment ${id} is ${status} and was charged ${taken.length} times`];
    const [charge] = taken;
    // The same share of each amount was given back, whatever the units are.
    if (charge && charge.refunded * amount !== refunded * charge.amount)
      return [`payment ${id}: ${refunded} refunded here, ${charge.refunded} there`];
    return [];
  });
}
