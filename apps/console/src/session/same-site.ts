/** Whether a request comes from our own page: another site can neither set our header nor hide its origin. Pure. */
import type { IncomingHttpHeaders } from 'node:http';

/** A page of another origin can set it only after a preflight, which we never answer. */
export const OWN_HEADER = 'x-console';

export interface Asked {
  method: string;
  headers: IncomingHttpHeaders;
}

/** @param ownOrigin where browsers find the console; without it, the host that they name */
export function isFromOwnPage({ method, headers }: Asked, ownOrigin?: string): boolean {
  const { origin, host, 'sec-fetch-site': site } = headers;
  if (ownOrigin !== undefined && host !== new URL(ownOrigin).host) return false;
  if (origin !== undefined && !isOwn(origin, host, ownOrigin)) return false;
  if (site !== undefined && site !== 'same-origin') return false;
  // An EventSource sets no headers, and only reads.
  const onlyReads = method === 'GET' || method === 'HEAD';
  return onlyReads || headers[OWN_HEADER] === '1';
}

function isOwn(origin: string, host: string | undefined, ownOrigin: string | undefined): boolean {
  if (ownOrigin !== undefined) return origin === new URL(ownOrigin).origin;
  return URL.canParse(origin) && new URL(origin).host === host;
}
