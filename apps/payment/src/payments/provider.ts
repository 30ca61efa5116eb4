/**
 * The calls that we make to a payment provider.
 *
 * A charge is named first: an intent is created, which moves no money. It is confirmed when we have stored its name. So
 * whoever is in doubt about a charge can look it up by this name, and can cancel it. Whatever is repeated, an intent
 * takes money at most once.
 */
import type { Capture, Intent } from './intent';

export interface IntentRequest {
  /** The provider remembers it for a day. */
  idempotencyKey: string;
  tenant: string;
  paymentId: string;
  /** In minor units. */
  amount: number;
  /** ISO 4217, in capital letters. */
  currency: string;
  capture: Capture;
}

export interface Confirmation {
  /** The provider's name for the intent. */
  reference: string;
  idempotencyKey: string;
  /** The token from the provider with which the customer pays. Only `confirm` gets it in clear. */
  source: string;
}

export interface RefundRequest {
  idempotencyKey: string;
  /** The provider's name for the charge. */
  reference: string;
  /** In minor units. */
  amount: number;
  /** Of the charge. Absent in work that an earlier version has begun: the amount is then in the provider's units. */
  currency?: string;
}

/**
 * All requests throw a RetryableError when the outcome is unknown (timeout, reset, 5xx, 429). They throw a TerminalError
 * when the provider refuses the request itself. That is our own mistake, and the request moved no money.
 */
export interface Provider {
  /** Creates an intent that nobody can pay yet. Asking twice under one key gives the same intent. */
  createIntent(request: IntentRequest): Promise<Intent>;
  /** Asks for the money. An intent that was confirmed before is shown as it is. */
  confirm(request: Confirmation): Promise<Intent>;
  /** The intent as it is now. */
  retrieve(reference: string): Promise<Intent>;
  /** Gives up an intent, so that nobody can pay it any more. One that cannot be given up is shown as it is. */
  cancel(request: { reference: string; idempotencyKey: string }): Promise<Intent>;
  /**
   * The intent that was created for this request, as it is now. It is found by our id, which the intent carries, and not
   * by the key. Undefined if the provider shows none. An intent may be shown up to an hour after it was made.
   */
  findIntent(request: IntentRequest): Promise<Intent | undefined>;
  refund(request: RefundRequest): Promise<{ reference: string }>;
  /** A refund that was asked for before, and was not turned down. It is shown at once. */
  findRefund(request: RefundRequest): Promise<{ reference: string } | undefined>;
}

/** Enough to use the provider's whole rate limit. More calls would only move the queue to the other side. */
export const MAX_CALLS = 64;

/** Less than half a lease, so a call is rarely still in flight when its lease expires. */
export const PROVIDER_TIMEOUT_MS = 4_000;

export const PROVIDER = Symbol('PROVIDER');
