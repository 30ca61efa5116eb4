/** W3C trace context: the one header that connects a request, its messages and its log lines. */
import { randomUUID } from 'node:crypto';

const TRACEPARENT = /^00-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}$/;
const SPAN_ID_DIGITS = 16;

/** Keeps the trace id of the caller if the header is well formed. Otherwise it starts a new trace. */
export function newTraceparent(incoming?: unknown): string {
  const match = typeof incoming === 'string' ? TRACEPARENT.exec(incoming) : null;
  return `00-${match?.[1] ?? randomHex()}-${randomHex().slice(-SPAN_ID_DIGITS)}-01`;
}

/**
 * 32 digits. Node prepares randomness for many UUIDs at once, so a UUID costs a tenth of the same number of random
 * bytes.
 */
function randomHex(): string {
  return randomUUID().replaceAll('-', '');
}

export function traceIdOf(traceparent: string): string {
  return traceparent.slice(3, 35);
}
