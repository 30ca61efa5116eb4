/**
 * The limits of what a ledger accepts. Every adapter checks them here for each row that it writes. A table would read
 * its `check` constraints from the catalogue again for each statement.
 */
import assert from 'node:assert/strict';
import type { Answer } from '../answer';
import { MAX_ANSWER_BYTES } from '../policy';

/** The scope and the key together are a key of an index. PostgreSQL allows a third of a page for it. */
const MAX_SCOPE_LENGTH = 400;
const MAX_KEY_LENGTH = 255;
/** SHA-256. */
const FINGERPRINT_BYTES = 32;

/** @param fingerprint null for a tombstone */
export function assertClaimable(claim: { scope: string; key: string; fingerprint: Buffer | null }): void {
  const { scope, key, fingerprint } = claim;
  assert(isWithin(scope, MAX_SCOPE_LENGTH), `a scope has 1 to ${MAX_SCOPE_LENGTH} characters`);
  // The message does not show the key: it is text of a client, and it may be very long.
  assert(isWithin(key, MAX_KEY_LENGTH), `a key has 1 to ${MAX_KEY_LENGTH} characters`);
  const isWhole = fingerprint === null || fingerprint.length === FINGERPRINT_BYTES;
  assert(isWhole, `a fingerprint has ${FINGERPRINT_BYTES} bytes`);
}

export function assertAnswerable({ status, body }: Answer): void {
  assert(status >= 200 && status <= 599, `${status} is not the status of an answer`);
  // A text of this many characters cannot have more bytes than this, so most texts are not counted.
  const fits = body.length * 3 <= MAX_ANSWER_BYTES || Buffer.byteLength(body) <= MAX_ANSWER_BYTES;
  assert(fits, `an answer of more than ${MAX_ANSWER_BYTES} bytes cannot be kept`);
}

const isWithin = (text: string, maxLength: number): boolean => text.length >= 1 && text.length <= maxLength;
