/** Versions on the wire: `ETag`, `If-Match`, `If-None-Match` (RFC 9110, sections 8.8 and 13.1). */
import { Problem } from '@shop/problem';

export function etagOf(version: number): string {
  return `"${version}"`;
}

/**
 * Checks an update against the current version.
 * @throws Problem 428 `precondition_required` without a header, 412 `precondition_failed` for an old version.
 */
export function requireMatch(ifMatch: string | undefined, version: number): void {
  const etag = etagOf(version);
  if (ifMatch === undefined) {
    throw new Problem(428, 'precondition_required', 'an update needs If-Match with the ETag of the version you read', {
      headers: { etag },
    });
  }
  if (!matches(ifMatch, etag)) {
    throw new Problem(412, 'precondition_failed', 'the resource has changed since you read it; read it again', {
      headers: { etag },
      extensions: { currentETag: etag },
    });
  }
}

/** True when the caller already has this version, so that 304 is the whole answer. */
export function unlessModified(ifNoneMatch: string | undefined, etag: string): boolean {
  return ifNoneMatch !== undefined && matches(ifNoneMatch, etag);
}

function matches(header: string, etag: string): boolean {
  return header.split(',').some((candidate) => {
    const tag = candidate.trim();
    return tag === '*' || tag === etag || tag === `W/${etag}`;
  });
}
