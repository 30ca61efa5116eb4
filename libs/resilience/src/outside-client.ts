/**
 * A small HTTP client for dependencies without an SDK. It answers like `fetch`, and is protected like every call outside.
 *
 * It uses Node's `fetch`, which keeps an idle connection for a few seconds. The bulkhead bounds their number: one for each
 * call at once, and one that has just answered and is not free yet.
 */
import { type Dependency, type OutsideCall } from './dependency';
import { noteStatus, traceHeaders } from './dependency-spans';
import { RetryableError, TerminalError } from './errors';
import { judge } from './failure';
import { retryAfterMsOf } from './retry-after';

export interface OutsideRequest extends Omit<OutsideCall, 'isIdempotent'> {
  /** The default is GET. */
  method?: string;
  headers?: Record<string, string>;
  body?: string;
}

export interface OutsideAnswer {
  status: number;
  headers: Headers;
  body: string;
}

/** RFC 9110, 9.2.2. */
const IDEMPOTENT_METHODS = ['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE'];
/** More than any answer that we ask for. */
const MAX_BODY_BYTES = 1024 * 1024;

/** Thrown for an answer after which the same request may succeed later. */
class AnsweredError extends RetryableError {
  constructor(
    readonly status: number,
    retryAfterMs: number | undefined,
  ) {
    super(`the answer was ${status}`, { retryAfterMs });
    this.name = 'AnsweredError';
  }
}

export class OutsideClient {
  constructor(private readonly dependency: Dependency) {}

  /**
   * Resolves with every answer that a retry would not change, so with 400 and 404 as well. It follows no redirects. A key
   * is sent as the header Idempotency-Key.
   * @throws RetryableError when the outcome is unknown, or was 5xx, 408 or 429; see also `Dependency.call`
   */
  request(url: string | URL, { method = 'GET', headers, body, ...call }: OutsideRequest): Promise<OutsideAnswer> {
    const { idempotencyKey, isConflictSafe } = call;
    const sent = idempotencyKey ? { ...headers, 'idempotency-key': idempotencyKey } : { ...headers };
    const isIdempotent = IDEMPOTENT_METHODS.includes(method.toUpperCase());
    return this.dependency.call(
      async ({ signal }) => {
        const traced = { ...sent, ...traceHeaders({ method, url: new URL(url) }) };
        const response = await fetch(url, { method, headers: traced, body, signal, redirect: 'manual' });
        const { status } = response;
        noteStatus(status);
        const text = await textOf(response);
        if (!judge({ status }, isConflictSafe).isRetryable) return { status, headers: response.headers, body: text };
        throw new AnsweredError(
          status,
          retryAfterMsOf(response.headers.get('retry-after'), response.headers.get('date')),
        );
      },
      { ...call, isIdempotent },
    );
  }
}

/** Also of an answer that nobody reads, so that its connection can be used again. */
async function textOf({ body }: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of (body ?? []) as AsyncIterable<Uint8Array>) {
    bytes += chunk.byteLength;
    if (bytes > MAX_BODY_BYTES) throw new TerminalError(`the answer is longer than ${MAX_BODY_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
