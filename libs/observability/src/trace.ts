/** W3C trace context: the one header that ties a request, its messages and its log lines together. */
import { randomBytes } from 'node:crypto';

const TRACEPARENT = /^00-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}$/;

/** Keeps the caller's trace id when the header is well formed; otherwise starts a trace. */
export function newTraceparent(incoming?: unknown): string {
  const match = typeof incoming === 'string' ? TRACEPARENT.exec(incoming) : null;
  const bytes = randomBytes(24).toString('hex');
  return `00-${match?.[1] ?? bytes.slice(0, 32)}-${bytes.slice(32)}-01`;
}

export function traceIdOf(traceparent: string): string {
  return traceparent.slice(3, 35);
}
