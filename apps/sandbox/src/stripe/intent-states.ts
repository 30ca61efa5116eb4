/**
 * The states of a payment intent, as a pure decision: what an action makes of it, or why it cannot be done now.
 *
 * A new intent waits for a source or for its confirmation. Confirming is an attempt. The issuer refuses it, and the
 * intent waits for another source; or the customer has to say yes first (`requires_action`); or the bank takes its
 * time (`processing`); or it is paid. With manual capture, paid means held (`requires_capture`) until it is captured.
 * `succeeded` and `canceled` are final. Nobody can cancel what is processing, because the money is on its way.
 */
import type { CancellationReason, CardError, IntentStatus, PaymentIntent } from './payment-intent';
import { sourceOf } from './sources';

export interface Confirmation {
  /** Instead of the one that the intent has. */
  source?: string;
  returnUrl?: string;
  /** Nobody is there to say yes, so an attempt that needs it fails at once. */
  failsOnAction: boolean;
}

export type Action =
  | ({ type: 'confirm'; pageUrl: string } & Confirmation)
  /** Both on the page of the bank. */
  | { type: 'approve' }
  | { type: 'decline' }
  /** Both later, by the bank. */
  | { type: 'settle' }
  | { type: 'fail' }
  | { type: 'capture'; amount?: number; final: boolean; metadata?: Record<string, string> }
  | { type: 'cancel'; reason: CancellationReason | null; nowMs: number };

export type IntentEvent =
  | 'payment_intent.created'
  | 'payment_intent.requires_action'
  | 'payment_intent.processing'
  | 'payment_intent.amount_capturable_updated'
  | 'payment_intent.succeeded'
  | 'payment_intent.payment_failed'
  | 'payment_intent.canceled';

export interface Step {
  intent: PaymentIntent;
  event?: IntentEvent;
  /** The source that was asked, when one was: then there is a new charge. */
  attempted?: string;
  /** Why the attempt has failed. */
  failure?: CardError;
}

/** Why nothing happened. */
export type Refusal =
  'unexpected_state' | 'source_missing' | 'more_than_held' | 'nothing_to_capture' | 'captured_once_only';

const beforeMoney: IntentStatus[] = ['requires_payment_method', 'requires_confirmation', 'requires_action'];
export const allowedIn: Record<Action['type'], readonly IntentStatus[]> = {
  confirm: beforeMoney,
  approve: ['requires_action'],
  decline: ['requires_action'],
  settle: ['processing'],
  fail: ['processing'],
  capture: ['requires_capture'],
  cancel: [...beforeMoney, 'requires_capture'],
};

export function decide(intent: PaymentIntent, action: Action): Step | Refusal {
  if (!allowedIn[action.type].includes(intent.status)) return 'unexpected_state';
  switch (action.type) {
    case 'confirm':
      return confirm(intent, action);
    case 'approve':
      return { ...charge(intent), attempted: intent.payment_method ?? undefined };
    case 'decline':
      return failed(intent, notAuthenticated);
    case 'settle':
      return paid(intent);
    case 'fail':
      return failed(intent, processingFailed);
    case 'capture':
      return capture(intent, action);
    case 'cancel':
      return cancel(intent, action);
  }
}

const notAuthenticated: CardError = {
  type: 'card_error',
  code: 'payment_intent_authentication_failure',
  message: 'The provided payment method has failed authentication.',
};
const nobodyThere: CardError = {
  type: 'card_error',
  code: 'authentication_required',
  message: 'This payment needs the customer, who has to authenticate it.',
};
const processingFailed: CardError = {
  type: 'card_error',
  code: 'processing_error',
  message: 'An error occurred while processing the card.',
};

function refusedByIssuer(declineCode: string): CardError {
  const message =
    declineCode === 'insufficient_funds' ? 'Your card has insufficient funds.' : 'Your card was declined.';
  return { type: 'card_error', code: 'card_declined', decline_code: declineCode, message };
}

function confirm(
  intent: PaymentIntent,
  { source, returnUrl, failsOnAction, pageUrl }: Confirmation & { pageUrl: string },
): Step | Refusal {
  const token = source ?? intent.payment_method;
  if (token === null) return 'source_missing';
  const asked: PaymentIntent = { ...intent, payment_method: token };
  if (!sourceOf(token)?.authenticates) return { ...charge(asked), attempted: token };
  if (failsOnAction) return { ...failed(asked, nobodyThere), attempted: token };
  return {
    intent: {
      ...asked,
      status: 'requires_action',
      last_payment_error: null,
      next_action: { type: 'redirect_to_url', redirect_to_url: { url: pageUrl, return_url: returnUrl ?? null } },
    },
    event: 'payment_intent.requires_action',
  };
}

/** Asks the issuer. */
function charge(intent: PaymentIntent): Step {
  const { declineCode, processes } = sourceOf(intent.payment_method ?? '') ?? {};
  if (declineCode !== undefined) return failed(intent, refusedByIssuer(declineCode));
  if (!processes) return paid(intent);
  const waiting: PaymentIntent = { ...intent, status: 'processing', next_action: null, last_payment_error: null };
  return { intent: waiting, event: 'payment_intent.processing' };
}

function paid(intent: PaymentIntent): Step {
  const settled = { ...intent, next_action: null, last_payment_error: null };
  if (intent.capture_method === 'manual') {
    return {
      intent: { ...settled, status: 'requires_capture', amount_capturable: intent.amount },
      event: 'payment_intent.amount_capturable_updated',
    };
  }
  return {
    intent: { ...settled, status: 'succeeded', amount_received: intent.amount },
    event: 'payment_intent.succeeded',
  };
}

function failed(intent: PaymentIntent, failure: CardError): Step {
  return {
    intent: {
      ...intent,
      status: 'requires_payment_method',
      payment_method: null,
      next_action: null,
      last_payment_error: failure,
    },
    event: 'payment_intent.payment_failed',
    failure,
  };
}

function capture(
  intent: PaymentIntent,
  { amount = intent.amount_capturable, final, metadata }: Omit<Extract<Action, { type: 'capture' }>, 'type'>,
): Step | Refusal {
  // Nothing at all is a good last capture: it releases the rest.
  if (amount === 0 && !(final && intent.amount_received > 0)) return 'nothing_to_capture';
  if (amount > intent.amount_capturable) return 'more_than_held';
  if (!final && !intent.payment_method_options.card.request_multicapture) return 'captured_once_only';
  const left = intent.amount_capturable - amount;
  const taken: PaymentIntent = {
    ...intent,
    amount_received: intent.amount_received + amount,
    amount_capturable: left,
    metadata: { ...intent.metadata, ...metadata },
  };
  if (!final && left > 0) return { intent: taken, event: 'payment_intent.amount_capturable_updated' };
  // The rest goes back to the customer.
  return { intent: { ...taken, amount_capturable: 0, status: 'succeeded' }, event: 'payment_intent.succeeded' };
}

/** What is held is released. What was captured stays: then the intent has succeeded with that part. */
function cancel(intent: PaymentIntent, { reason, nowMs }: { reason: CancellationReason | null; nowMs: number }): Step {
  const ended = { ...intent, amount_capturable: 0, next_action: null };
  if (intent.amount_received > 0) {
    return { intent: { ...ended, status: 'succeeded' }, event: 'payment_intent.succeeded' };
  }
  return {
    intent: { ...ended, status: 'canceled', canceled_at: Math.floor(nowMs / 1_000), cancellation_reason: reason },
    event: 'payment_intent.canceled',
  };
}
