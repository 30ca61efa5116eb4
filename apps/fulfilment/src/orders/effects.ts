/** What follows from what is known of an order. Pure; each effect has a natural key, so that it may be written again. */
import { ERASED } from '@shop/messaging';
import type { NewDelivery } from '../deliveries/take-on';
import type { NewNotification } from '../notifications/queue';
import { pointsFor } from '../points/points';
import type { Earning } from '../points/points.repository';
import type { HeardOrder } from './hear';

/** What the order service says of the order. */
export interface OrderContent {
  /** Absent when nobody knows any more who it was. */
  customerId?: string;
  placedBy?: string;
  lines: { sku: string; quantity: number }[];
}

export interface HeardRefund {
  tenant: string;
  refundId: string;
  orderId: string;
  /** Minor units. */
  amount: number;
  currency: string;
}

export interface Effects {
  earnings: Earning[];
  /** The orders whose points are taken back, if they have earned any. */
  takenBack: { tenant: string; orderId: string }[];
  notifications: NewNotification[];
  deliveries: NewDelivery[];
}

export function effectsOf(order: HeardOrder, content: OrderContent): Effects {
  const { tenant, orderId, status, amount, currency, reason, earlier, trace } = order;
  const { customerId, placedBy, lines } = content;
  const none: Effects = { earnings: [], takenBack: [], notifications: [], deliveries: [] };
  const key = { tenant, orderId };
  const mail = (template: NewNotification['template']): NewNotification[] =>
    customerId === undefined
      ? []
      : [
          {
            ...key,
            customerId,
            template,
            cause: orderId,
            data: { amount, currency, reason, lines },
            suppressed: earlier,
            trace,
          },
        ];
  if (status === 'cancelled') {
    return { ...none, takenBack: [key], notifications: mail('order-cancelled') };
  }
  const points = pointsFor(amount!, currency!);
  return {
    ...none,
    earnings: customerId !== undefined && points > 0 ? [{ ...key, customerId, placedBy, points }] : [],
    notifications: mail('order-confirmed'),
    // It is paid: whoever comes for it gets it.
    deliveries: [{ ...key, customerId: customerId ?? ERASED, placedBy, lines, suppressed: earlier, trace }],
  };
}

/** @param trace of the order */
export function effectOfRefund(refund: HeardRefund, { customerId }: OrderContent, trace?: string): NewNotification[] {
  const { tenant, orderId, refundId, amount, currency } = refund;
  if (customerId === undefined) return [];
  const data = { amount, currency };
  return [{ tenant, orderId, customerId, template: 'payment-refunded', cause: refundId, data, trace }];
}
