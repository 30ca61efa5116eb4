/** What each source token does when it is charged. Any other token is a good one, so that tests can make up their own. */
import type { Fault } from '../faults/fault';

export interface Source {
  /** The issuer's reason for refusing. */
  declineCode?: string;
  delayMs?: number;
  /** What happens to the first attempt with an idempotency key; the next one goes through. */
  firstAttempt?: Fault;
  /** The customer has to say yes on a page of the bank before the charge. */
  authenticates?: true;
  /** The bank takes its time, and tells the outcome later. */
  processes?: true;
  /** What becomes of a refund: it waits, or it is done and comes back later. */
  refunds?: 'pending' | 'failing';
  /** The customer complains to the bank as soon as the money was taken. */
  disputes?: true;
}

const SLOW_MS = 2_000;
const GOOD: Source = {};

const sources = new Map<string, Source>([
  ['tok_ok', GOOD],
  ['tok_declined', { declineCode: 'generic_decline' }],
  ['tok_insufficient_funds', { declineCode: 'insufficient_funds' }],
  ['tok_slow', { delayMs: SLOW_MS }],
  ['tok_timeout_once', { firstAttempt: 'never_answered' }],
  ['tok_error_once', { firstAttempt: 'error' }],
  ['tok_rate_limited_once', { firstAttempt: 'rate_limited' }],
  ['tok_reset_once', { firstAttempt: 'reset' }],
  ['tok_3ds', { authenticates: true }],
  ['tok_3ds_processing', { authenticates: true, processes: true }],
  ['tok_processing', { processes: true }],
  ['tok_refund_pending', { refunds: 'pending' }],
  ['tok_refund_fails', { refunds: 'failing' }],
  ['tok_disputed', { disputes: true }],
]);

/** Undefined for a text that does not have the form of a token. */
export function sourceOf(token: string): Source | undefined {
  return sources.get(token) ?? (/^(tok|pm)_\w{1,100}$/.test(token) ? GOOD : undefined);
}
