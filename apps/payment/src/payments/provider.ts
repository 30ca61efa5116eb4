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

export interface CaptureRequest {
  idempotencyKey: string;
  /** Our name for the capture. The intent carries it from then on, so a lost answer can be looked up. */
  id: string;
  /** The provider's name for the intent. */
  reference: string;
  /** In minor units. */
  amount: number;
  currency: string;
  /** Nothing more is taken after it: the rest is free again. */
  final: boolean;
}

/**
 * - `pending`: the provider has accepted it, and the bank has not answered.
 * - `failed`: the money came back to us.
 */
export type RefundState = 'pending' | 'succeeded' | 'failed';

export interface ShownRefund {
  reference: string;
  status: RefundState;
}

export interface ShownDispute {
  /** The provider's name for it. */
  id: string;
  /** `inquiry`: the bank only asks, and has taken no money. */
  status: 'inquiry' | 'open' | 'won' | 'lost';
  /** In minor units. */
  amount: number;
  currency: string;
  reason: string;
  openedAt: string;
  /** The payment that it is about. Undefined for a charge that is none of ours. */
  payment?: { tenant: string; id: string; reference: string };
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
  /** Takes a part of the money that is held. An intent of which nothing more can be taken is shown as it is. */
  capture(request: CaptureRequest): Promise<Intent>;
  refund(request: RefundRequest): Promise<ShownRefund>;
  /** A refund that was asked for before, and was not turned down. It is shown at once. */
  findRefund(request: RefundRequest): Promise<ShownRefund | undefined>;
  /** The refund as it is now. */
  retrieveRefund(reference: string): Promise<ShownRefund>;
  /** The dispute as it is now. */
  dispute(id: string): Promise<ShownDispute>;
  /** The disputes about a charge, as they are now. */
  disputesOf(reference: string): Promise<ShownDispute[]>;
}

/** Enough to use the provider's whole rate limit. More calls would only move the queue to the other side. */
export const MAX_CALLS = 64;

/** Less than half a lease, so a call is rarely still in flight when its lease expires. */
export const PROVIDER_TIMEOUT_MS = 4_000;

export const PROVIDER = Symbol('PROVIDER');
