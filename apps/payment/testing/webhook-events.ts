/** Events as the payment provider sends them, and their signatures. */
import { randomUUID } from 'node:crypto';
import Stripe from 'stripe';

export const WEBHOOK_SECRET = 'whsec_of_the_tests_0001';

export interface EventChanges {
  id?: string;
  type?: string;
  object?: object;
  [member: string]: unknown;
}

/** An event about the charge of a payment, unless the changes say something else. */
export function providerEvent(payment: { tenant: string; id: string; intentId: string }, changes: EventChanges = {}) {
  const { object, ...rest } = changes;
  return {
    id: `evt_${randomUUID()}`,
    object: 'event',
    api_version: '2026-01-01',
    created: 1_767_225_600,
    livemode: false,
    pending_webhooks: 1,
    type: 'payment_intent.succeeded',
    ...rest,
    data: {
      object: object ?? {
        id: payment.intentId,
        object: 'payment_intent',
        metadata: { tenant: payment.tenant, paymentId: payment.id },
      },
    },
  };
}

/** The header of a request with this body. */
export function signatureOf(
  payload: string,
  { secret = WEBHOOK_SECRET, ageSeconds = 0 }: { secret?: string; ageSeconds?: number } = {},
): string {
  const timestamp = Math.floor(Date.now() / 1_000) - ageSeconds;
  return Stripe.webhooks.generateTestHeaderString({ payload, secret, timestamp });
}
