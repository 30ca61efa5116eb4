/** The fingerprint of a request or message: 32 bytes that are equal for equal requests, whatever their spelling. */
import { hash } from 'node:crypto';
import { canonicalJson } from './canonical-json';

/**
 * SHA-256 (32 bytes) of the parts. The length of each part is hashed too, so that two different lists never look the
 * same.
 */
export function fingerprintOf(...parts: unknown[]): Buffer {
  const texts = parts.map((part) => canonicalJson(part));
  return hash('sha256', texts.map((text) => `${text.length}:${text}`).join(''), 'buffer');
}
