/** The Idempotency-Key header: an RFC 8941 string ("abc") or the bare characters. */
import { Problem } from '@shop/problem';

/** 1 to 255 visible ASCII characters. */
const BARE = /^[\x21-\x7e]{1,255}$/;
const QUOTED = /^"(?:[\x20-\x21\x23-\x5b\x5d-\x7e]|\\["\\])*"$/;

/** @throws Problem 400 `idempotency_key_missing` or `idempotency_key_invalid` */
export function readIdempotencyKey(header: string | string[] | undefined): string {
  if (header === undefined) {
    throw new Problem(400, 'idempotency_key_missing', 'send an Idempotency-Key header, a new one for each new request');
  }
  const text = Array.isArray(header) ? '' : header.trim();
  const key = text.startsWith('"') ? unquoted(text) : text;
  if (!BARE.test(key)) {
    throw new Problem(400, 'idempotency_key_invalid', 'Idempotency-Key must be 1 to 255 visible ASCII characters');
  }
  return key;
}

/** A header that begins like an RFC 8941 string has to be one. */
function unquoted(text: string): string {
  return QUOTED.test(text) ? text.slice(1, -1).replace(/\\(["\\])/g, '$1') : '';
}
