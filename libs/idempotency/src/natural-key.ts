/** What stands behind the ledger: names that effects keep for good, and answers to repeats that it has forgotten. */
import { hash } from 'node:crypto';
import { Problem } from '@shop/problem';
import type { Answer } from './answer';
import { httpOutcome } from './http-outcome';

/** One name for the key within its scope: 64 hexadecimal digits, safe to store, to send and to log. */
export function naturalKeyOf({ scope, key }: { scope: string; key: string }): string {
  return hash('sha256', `${scope}\n${key}`, 'hex');
}

/** For a repeat whose answer is gone. Kept like any final refusal, so the next one finds it in the ledger. */
export function alreadySubmitted(statusUrl: string, detail: string): Problem {
  return new Problem(409, 'already_submitted', detail, { extensions: { statusUrl }, headers: { location: statusUrl } });
}

/**
 * To another request under a key whose effect is known and whose answer is gone. Not kept: under this key the ledger may
 * only know the request that had the effect.
 */
export function keyReused(): Answer {
  const { status, headers, body } = httpOutcome({ kind: 'reused' });
  return { status, headers, body, kept: false };
}
