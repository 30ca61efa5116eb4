/** W3C trace context: the one header that ties a request, its messages and its log lines together. */
import { randomFillSync } from 'node:crypto';

const TRACEPARENT = /^00-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}$/;

const TRACE_ID_BYTES = 16;
const SPAN_ID_BYTES = 8;
/** Randomness is fetched for many ids at once: each fetch costs more than an id. */
const pool = Buffer.alloc(4_096);
let used = pool.length;

/** Keeps the caller's trace id when the header is well formed; otherwise starts a trace. */
export function newTraceparent(incoming?: unknown): string {
  const match = typeof incoming === 'string' ? TRACEPARENT.exec(incoming) : null;
  return `00-${match?.[1] ?? randomHex(TRACE_ID_BYTES)}-${randomHex(SPAN_ID_BYTES)}-01`;
}

function randomHex(bytes: number): string {
  if (used + bytes > pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  used += bytes;
  return pool.toString('hex', used - bytes, used);
}

export function traceIdOf(traceparent: string): string {
  return traceparent.slice(3, 35);
}
