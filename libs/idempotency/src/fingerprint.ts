/** What a request or message asked, as 32 bytes: the same bytes for the same request, whatever its spelling. */
import { hash } from 'node:crypto';
import { canonicalJson } from './canonical-json';

/** SHA-256 (32 bytes) of the parts; each part's length goes in too, so that no two lists of parts look alike. */
export function fingerprintOf(...parts: unknown[]): Buffer {
  const texts = parts.map((part) => canonicalJson(part));
  return hash('sha256', texts.map((text) => `${text.length}:${text}`).join(''), 'buffer');
}
