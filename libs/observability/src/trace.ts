/** W3C trace context: the one header that connects a request, its messages and its log lines. */
import { randomUUID } from 'node:crypto';

/** Ids of zeros alone mean that there is none. */
const TRACEPARENT = /^00-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})$/;
/** The lowest bit of the flags says that it is recorded. */
const UNRECORDED = /^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f][02468ace]$/;
const SPAN_ID_DIGITS = 16;
/** Whoever begins a trace without recording it says so. */
const NOT_SAMPLED = '00';

export interface TraceContext {
  traceId: string;
  spanId: string;
  /** Two digits; the lowest bit says that the trace is recorded. */
  flags: string;
}

/** Undefined for anything that is no well-formed header. */
export function parseTraceparent(text: unknown): TraceContext | undefined {
  const match = typeof text === 'string' ? TRACEPARENT.exec(text) : null;
  return match ? { traceId: match[1]!, spanId: match[2]!, flags: match[3]! } : undefined;
}

/** Whether it is well formed, and whoever has begun the trace does not record it. */
export const isUnrecorded = (traceparent: string): boolean => UNRECORDED.test(traceparent);

/**
 * Keeps the trace of the caller, and whether it is recorded, if the header is well formed. Otherwise it starts a new
 * trace.
 */
export function newTraceparent(incoming?: unknown): string {
  const given = parseTraceparent(incoming);
  return `00-${given?.traceId ?? randomHex()}-${newSpanId()}-${given?.flags ?? NOT_SAMPLED}`;
}

const newSpanId = (): string => randomHex().slice(-SPAN_ID_DIGITS);

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

export function spanIdOf(traceparent: string): string {
  return traceparent.slice(36, 52);
}

/** The same trace, with another span of it as the parent of what comes. */
export function atSpan(traceparent: string, spanId: string): string {
  return `${traceparent.slice(0, 36)}${spanId}${traceparent.slice(52)}`;
}
