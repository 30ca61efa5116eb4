/** W3C trace context: the one header that ties a request, its messages and its log lines together. */
import { randomUUID } from 'node:crypto';

const TRACEPARENT = /^00-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}$/;
const SPAN_ID_DIGITS = 16;

/** Keeps the caller's trace id when the header is well formed; otherwise starts a trace. */
export function newTraceparent(incoming?: unknown): string {
  const match = typeof incoming === 'string' ? TRACEPARENT.exec(incoming) : null;
  return `00-${match?.[1] ?? randomHex()}-${randomHex().slice(-SPAN_ID_DIGITS)}-01`;
}

/** 32 digits. Node has randomness at hand for many UUIDs, so that one costs a tenth of as many random bytes. */
function randomHex(): string {
  return randomUUID().replaceAll('-', '');
}

export function traceIdOf(traceparent: string): string {
  return traceparent.slice(3, 35);
}
