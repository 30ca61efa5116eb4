/** An order, and the decision about its price. Pure. */
import { objectionToCharging } from '@shop/contracts';
import { Problem } from '@shop/problem';
import type { NextAction } from '@shop/saga';
import { type Money, priceKey } from '../products/product';
import type { OrderItemBody } from './order.body';

export const orderStatuses = ['pending', 'confirmed', 'cancelling', 'cancelled'] as const;
export type OrderStatus = (typeof orderStatuses)[number];

export interface OrderItem {
  sku: string;
  quantity: number;
  unitPrice: Money;
  /** What promotions take off the whole line. */
  discount?: Money;
}

/** What a promotion takes off the order, in minor units of the currency of the total. */
export interface OrderPromotion {
  code: string;
  amount: number;
}

export interface Order {
  id: string;
  tenant: string;
  /** The principal that has placed it. Unknown for those of the time when this was not kept. */
  placedBy?: string;
  customerId: string;
  items: OrderItem[];
  /** Without the discount. */
  total: Money;
  /** What the promotions take off together; absent for nothing. */
  discountAmount?: number;
  promotions?: OrderPromotion[];
  /** The cart that it was. */
  cartId?: string;
  /** The reservation that its client had made before. */
  reservationId?: string;
  status: OrderStatus;
  /** The reason why it was cancelled or is being cancelled. */
  reason?: string;
  /** Why it could not be cancelled after it was confirmed: a stable code. It is not tried again. */
  cancellationRefused?: string;
  /** What the customer has to do before the order goes on. The link in it is for the customer alone. */
  nextAction?: NextAction;
  version: number;
  createdAt: string;
  updatedAt: string;
  /** Missing also for one that was confirmed before this was kept, until a backfill has written it. */
  confirmedAt?: string;
  /** When this service heard of it. */
  deliveredAt?: string;
  sagaId: string;
  cancelSagaId?: string;
}

export const isSettled = ({ status }: Pick<Order, 'status'>): boolean =>
  status === 'confirmed' || status === 'cancelled';

/** Nothing happens to it until the customer does something, or the time for that is over. */
export const needsCustomer = ({ status, nextAction }: Pick<Order, 'status' | 'nextAction'>): boolean =>
  status === 'pending' && nextAction !== undefined;

/** @throws Problem 422 `unknown_sku`, `mixed_currencies` or `total_too_large` */
export function priceItems(
  tenant: string,
  items: readonly OrderItemBody[],
  prices: ReadonlyMap<string, Money>,
): { items: OrderItem[]; total: Money } {
  const unknown = items.filter(({ sku }) => !prices.has(priceKey(tenant, sku))).map(({ sku }) => sku);
  if (unknown.length > 0) {
    throw new Problem(422, 'unknown_sku', `there is no product ${unknown.join(', ')}`, {
      extensions: { skus: unknown },
    });
  }
  const priced = items.map(({ sku, quantity }) => ({ sku, quantity, unitPrice: prices.get(priceKey(tenant, sku))! }));
  const currency = priced[0]!.unitPrice.currency;
  if (priced.some(({ unitPrice }) => unitPrice.currency !== currency)) {
    throw new Problem(422, 'mixed_currencies', 'all items of an order must have prices in one currency');
  }
  const amount = priced.reduce((sum, { quantity, unitPrice }) => sum + quantity * unitPrice.amount, 0);
  if (!Number.isSafeInteger(amount)) throw new Problem(422, 'total_too_large', 'the total of the order is too large');
  return { items: priced, total: { amount, currency } };
}

/**
 * An order that nobody can pay is not accepted. Its saga would only find that out later.
 * @throws Problem 422 `total_too_large`, `total_too_small`, `currency_not_supported` or `amount_not_payable`
 */
export function checkPayable(total: Money): void {
  const objection = objectionToCharging(total);
  if (!objection) return;
  const code = objection.code.replace(/^amount_(?=too_)/, 'total_');
  throw new Problem(422, code, `the total of the order cannot be paid: ${objection.detail}`);
}
