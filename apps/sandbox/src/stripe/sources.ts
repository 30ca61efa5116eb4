/** What each source token does when it is charged. Any other token is a good one, so that tests can make up their own. */
import type { Fault } from '../faults/fault';

export interface Source {
  /** The issuer's reason for refusing. */
  declineCode?: string;
  delayMs?: number;
  /** What happens to the first attempt with an idempotency key; the next one goes through. */
  firstAttempt?: Fault;
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
]);

/** Undefined for a text that does not have the form of a token. */
export function sourceOf(token: string): Source | undefined {
  return sources.get(token) ?? (/^(tok|pm)_\w{1,100}$/.test(token) ? GOOD : undefined);
}
