/** Versions on the wire: `ETag`, `If-Match`, `If-None-Match` (RFC 9110, sections 8.8 and 13.1). */
import { Problem } from '@shop/problem';

/** The headers by which a client says which version it means. */
export interface Preconditions {
  ifMatch?: string;
  ifNoneMatch?: string;
}

/** A version is a number, or a text of several numbers where several things are shown as one. */
export function etagOf(version: number | string): string {
  return `"${version}"`;
}

/**
 * Checks an update against the current version; `undefined` stands for what is not there.
 * @throws Problem 428 `precondition_required` without a header, 412 `precondition_failed` for an old version,
 * 400 `precondition_invalid` for a header that is none.
 */
export function requireMatch(ifMatch: string | undefined, version: number | undefined): asserts version is number {
  if (version === undefined) throw new Problem(412, 'precondition_failed', 'there is nothing here that could match');
  const etag = etagOf(version);
  if (ifMatch === undefined) {
    throw new Problem(428, 'precondition_required', 'an update needs If-Match with the ETag of the version you read', {
      headers: { etag },
    });
  }
  const tags = tagsIn(ifMatch);
  if (!tags) {
    throw new Problem(400, 'precondition_invalid', 'If-Match must be * or ETags in double quotes, as they were given', {
      headers: { etag },
    });
  }
  // A strong comparison (section 13.1.1): a weak tag may stand for several versions, and never allows an update.
  if (tags !== '*' && !tags.includes(etag)) {
    throw failed('the resource has changed since you read it; read it again', etag);
  }
}

/** Checks a creation against what is there already. @throws Problem 412 `precondition_failed` */
export function requireNone(ifNoneMatch: string | undefined, version: number): void {
  const etag = etagOf(version);
  if (unlessModified(ifNoneMatch, etag)) throw failed('there is one already; read it before you change it', etag);
}

/** True when the caller already has this version, so that 304 is the whole answer. A header that is none asks nothing. */
export function unlessModified(ifNoneMatch: string | undefined, etag: string): boolean {
  const tags = ifNoneMatch === undefined ? undefined : tagsIn(ifNoneMatch);
  // A weak comparison (section 13.1.2): proxies weaken the tags of what they compress.
  return tags === '*' || (tags?.some((tag) => tag.replace(/^W\//, '') === etag) ?? false);
}

function failed(detail: string, etag: string): Problem {
  return new Problem(412, 'precondition_failed', detail, { headers: { etag }, extensions: { currentETag: etag } });
}

const TAG = /^(?:W\/)?"[\x21\x23-\x7e\x80-\xff]*"$/;

/** The entity tags of a list, in which no tag of ours has a comma; undefined when it is no list of tags. */
function tagsIn(header: string): '*' | string[] | undefined {
  if (header.trim() === '*') return '*';
  const members = header.split(',').map((member) => member.trim());
  const tags = members.filter((member) => member !== '');
  return tags.length > 0 && tags.every((tag) => TAG.test(tag)) ? tags : undefined;
}
