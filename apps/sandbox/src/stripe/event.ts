/** An event on the wire: what has happened to an object, which it shows as it was then (https://docs.stripe.com/api/events/object). */
import type { Charge } from './charge';
import type { Dispute } from './dispute';
import type { IntentEvent } from './intent-states';
import type { PaymentIntent } from './payment-intent';
import type { Payout } from './payout';
import type { Refund } from './refund';

/** What an event is about. */
export type Subject = PaymentIntent | Charge | Refund | Dispute | Payout;

export type EventType =
  | IntentEvent
  | 'charge.captured'
  | 'charge.refunded'
  | 'refund.created'
  | 'refund.updated'
  | 'refund.failed'
  | 'charge.dispute.created'
  | 'charge.dispute.closed'
  | 'payout.paid'
  | 'payout.failed';

export interface StripeEvent {
  id: string;
  object: 'event';
  api_version: string;
  created: number;
  data: { object: Subject };
  livemode: false;
  pending_webhooks: number;
  request: { id: null; idempotency_key: string | null };
  type: EventType;
}

/** What has happened, before it is an event. */
export type Happening = [EventType, Subject];

/** The version whose types the SDK has. */
const API_VERSION = '2026-10-28.endive';

export function newEvent(
  [type, object]: Happening,
  { id, key, nowMs }: { id: string; key: string | undefined; nowMs: number },
): StripeEvent {
  return {
    id,
    object: 'event',
    api_version: API_VERSION,
    created: Math.floor(nowMs / 1_000),
    data: { object },
    livemode: false,
    pending_webhooks: 1,
    request: { id: null, idempotency_key: key ?? null },
    type,
  };
}
