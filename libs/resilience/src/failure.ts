/** What a failed call outside tells: whether to call again at once, and whether the whole dependency is down. Pure. */
import { TerminalError } from './errors';

export interface Failure {
  /** Of the HTTP answer. Absent when none came. */
  status?: number;
  /** Of a connection that failed, such as ECONNRESET. */
  code?: string;
  isTimeout?: boolean;
  /** The error says itself that a retry cannot help. */
  isTerminal?: boolean;
  /** How long the dependency wants to be left alone. Where nothing else is known, this asks for a retry. */
  retryAfterMs?: number;
}

export interface Verdict {
  /** The same call may succeed a moment later. */
  isRetryable: boolean;
  /** No call can be expected to succeed now. The circuit breaker counts these. */
  isOutage: boolean;
}

const FINAL: Verdict = { isRetryable: false, isOutage: false };
const AGAIN: Verdict = { isRetryable: true, isOutage: false };
const OUTAGE: Verdict = { isRetryable: true, isOutage: true };

/** Of Node and of undici, which is its `fetch`. */
const TIMEOUT_CODES = [
  'ETIMEDOUT',
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_BODY_TIMEOUT',
] as const;
/** `EAI_AGAIN`: the name server did not answer. `UND_ERR_SOCKET`: the other side closed the connection. */
const CONNECTION_CODES = [
  'ECONNRESET',
  'ECONNREFUSED',
  'ECONNABORTED',
  'EPIPE',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EAI_AGAIN',
  'UND_ERR_SOCKET',
] as const;
/** Other codes, such as `card_declined`, are the dependency's own, and say nothing about the connection. */
const KNOWN_CODES: readonly string[] = [...TIMEOUT_CODES, ...CONNECTION_CODES];

/** An error in an error in an error: more are not looked at, and a circle ends. */
const MAX_CAUSES = 5;

/**
 * A status decides before everything but a TerminalError. 429, 408 and a safe 409 mean that the dependency is alive. An
 * error of which nothing is known, also a RetryableError, may last or be our own mistake. So the same call is not made
 * again at once: its caller decides, later.
 * @param isConflictSafe whether this route answers 409 only for now, such as "the same key is in work"
 */
export function judge({ status, code, isTimeout, isTerminal, retryAfterMs }: Failure, isConflictSafe = false): Verdict {
  if (isTerminal) return FINAL;
  if (status !== undefined) {
    if (status >= 500 && status <= 599) return OUTAGE;
    return status === 408 || status === 429 || (status === 409 && isConflictSafe) ? AGAIN : FINAL;
  }
  if (isTimeout || (code !== undefined && KNOWN_CODES.includes(code))) return OUTAGE;
  return retryAfterMs === undefined ? FINAL : AGAIN;
}

/** Reads an error and what caused it. SDKs keep the cause as `cause` or as `detail`, and the status as either name. */
export function failureOf(error: unknown): Failure {
  const failure: Failure = error instanceof TerminalError ? { isTerminal: true } : {};
  let one: unknown = error;
  for (let depth = 0; depth < MAX_CAUSES && isObject(one); depth++) {
    const { name, status, statusCode, code, cause, detail, retryAfterMs } = one;
    failure.status ??= [status, statusCode].find(isStatus);
    if (typeof code === 'string' && KNOWN_CODES.includes(code)) failure.code ??= code;
    if (name === 'TimeoutError' || (TIMEOUT_CODES as readonly unknown[]).includes(code)) failure.isTimeout = true;
    if (typeof retryAfterMs === 'number') failure.retryAfterMs ??= retryAfterMs;
    one = cause ?? detail;
  }
  return failure;
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;

const isStatus = (value: unknown): value is number =>
  typeof value === 'number' && Number.isInteger(value) && value >= 100 && value <= 599;
