/** What follows an order, as its customer and the world outside see it: mails, points, parcels, invoices. */
import type { ApiResponse } from '@shop/system';
import type { Shop } from './shop';

export interface Mail {
  messageId: string;
  to: string;
  subject: string;
  text: string;
  receivedCount: number;
}

export interface Delivery {
  id: string;
  orderId: string;
  status: string;
  trackingNumber: string | null;
}

export interface Shipment {
  id: string;
  reference: string;
  status: string;
}

export interface Notification {
  id: string;
  orderId: string;
  template: string;
  status: string;
}

export interface Points {
  balance: number;
  items: { orderId: string; points: number }[];
}

export interface Invoice {
  number: string;
  orderId: string;
  kind: string;
  totals: { gross: number };
}

export class AfterOrder {
  constructor(private readonly shop: Shop) {}

  /** Without a profile nobody knows where to write. */
  async introduce(customerId: string, more: object = {}): Promise<void> {
    const profile = { displayName: customerId, email: addressOf(customerId), locale: 'en', ...more };
    const { status, text } = await this.shop.order.put(`/profiles/${customerId}`, profile);
    if (status > 201) throw new Error(`the profile of ${customerId} cannot be made: ${text}`);
  }

  /** Every mail once, whatever the number of times that it was received. */
  async mails(customerId?: string): Promise<Mail[]> {
    const to = customerId === undefined ? '' : `?to=${encodeURIComponent(addressOf(customerId))}`;
    return (await this.shop.sandbox.get<{ mails: Mail[] }>(`/admin/mails${to}`)).body.mails;
  }

  async points(customerId: string): Promise<Points> {
    return (await this.shop.fulfilment.get<Points>(`/customers/${customerId}/points`)).body;
  }

  async shipments(): Promise<Shipment[]> {
    return (await this.shop.sandbox.get<{ shipments: Shipment[] }>('/admin/shipments')).body.shipments;
  }

  async delivery(orderId: string): Promise<Delivery | undefined> {
    return (await this.shop.fulfilment.get<{ items: Delivery[] }>(`/deliveries?orderId=${orderId}`)).body.items[0];
  }

  async notifications(orderId: string): Promise<Notification[]> {
    return (await this.shop.fulfilment.get<{ items: Notification[] }>(`/notifications?orderId=${orderId}`)).body.items;
  }

  invoice(orderId: string, key: string): Promise<ApiResponse<Invoice & { code?: string }>> {
    return this.shop.payment.post('/invoices', { orderId }, key);
  }

  /** How the mail server, the carrier and the tax service behave from now on. */
  async misbehave(rate: number, seed: number): Promise<void> {
    const faults = { seed, errorRate: rate / 3, resetRate: rate / 3, lostAnswerRate: rate / 3 };
    const answers = [
      await this.shop.sandbox.put('/admin/mail-faults', { seed, temporaryRate: rate / 2, lostAnswerRate: rate / 2 }),
      await this.shop.sandbox.put('/admin/carrier-faults', faults),
      await this.shop.sandbox.put('/admin/tax-faults', faults),
    ];
    const refused = answers.find(({ status }) => status >= 300);
    if (refused) throw new Error(`the sandbox does not take the faults: ${refused.text}`);
  }

  async behave(): Promise<void> {
    for (const whose of ['mail', 'carrier', 'tax']) await this.shop.sandbox.send('DELETE', `/admin/${whose}-faults`);
  }
}

export const addressOf = (customerId: string): string => `${customerId}@example.com`;
