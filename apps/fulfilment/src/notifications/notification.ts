/** A notification: one e-mail to one customer, for one cause. Its names, its states, and when it is tried again. Pure. */
import { hash } from 'node:crypto';

export const templates = ['order-confirmed', 'order-cancelled', 'payment-refunded', 'order-delivered'] as const;
export type Template = (typeof templates)[number];

/**
 * - `queued`: to be sent when its time has come.
 * - `sending`: with at-most-once, handed to the mail server; nobody sends it again by himself.
 * - `sent`: the mail server has taken it.
 * - `parked`: an operator has to look at it.
 * - `suppressed`: never to be sent.
 */
export const notificationStatuses = ['queued', 'sending', 'sent', 'parked', 'suppressed'] as const;
export type NotificationStatus = (typeof notificationStatuses)[number];

/** What the text of a mail is made of. No names, no addresses: those are read from the profile when it is sent. */
export interface NotificationData {
  /** Minor units of the currency. */
  amount?: number;
  currency?: string;
  /** A code such as `out_of_stock`. */
  reason?: string;
  lines?: { sku: string; quantity: number }[];
  trackingNumber?: string;
}

export interface NewNotification {
  tenant: string;
  customerId: string;
  template: Template;
  /** What the mail tells of, such as the id of the order or of the refund. It belongs to one customer. */
  cause: string;
  orderId: string;
  data: NotificationData;
  /** Written down and never sent, as for orders that are older than this service. */
  suppressed?: boolean;
  /** The `traceparent` that it is sent in. */
  trace?: string;
}

/** One that somebody is about to send. */
export interface DueNotification extends Omit<NewNotification, 'suppressed'> {
  id: string;
  /** Earlier ones that came to an answer of the mail server, or lost it. */
  attempts: number;
  /** Of this look at it. Whoever writes what came of it names it. */
  leaseToken: string;
}

/** Enough characters of a hash that two ids are never equal. */
const ID_LENGTH = 27;

/** The same for the same cause, so one cause makes one row and one mail. It says nothing of the customer. */
export function notificationIdOf({ tenant, template, cause }: Pick<NewNotification, 'tenant' | 'template' | 'cause'>) {
  const named = hash('sha256', `${tenant}\n${template}\n${cause}`, 'base64url');
  return `ntf_${named.slice(0, ID_LENGTH)}`;
}

/** The name of the mail (RFC 5322). A mail that is sent again has it again, so that a mail server can drop the second one. */
export const messageIdOf = (id: string, domain: string): string => `<${id}@${domain}>`;
