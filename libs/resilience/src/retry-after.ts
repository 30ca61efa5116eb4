/** Reads the header Retry-After: seconds, or a date (RFC 9110, 10.2.3). Pure. */

/** A longer one is a mistake or a joke. Nobody waits for that long inside a call anyway. */
const MAX_RETRY_AFTER_MS = 3_600_000;

const SECONDS = /^\d{1,10}$/;
/** The one form of a date that is sent today: `Sun, 06 Nov 1994 08:49:37 GMT`. */
const HTTP_DATE = /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/;

/**
 * Milliseconds from now. Undefined when there is no header, or none that can be understood.
 * @param sentAt the header Date of the same answer. A date is a date of that clock, so ours may be wrong.
 * @param nowMs our time of day, for an answer without that header
 */
export function retryAfterMsOf(
  retryAfter: string | null | undefined,
  sentAt: string | null | undefined,
  nowMs: number = performance.timeOrigin + performance.now(),
): number | undefined {
  const text = retryAfter?.trim() ?? '';
  if (SECONDS.test(text)) return capped(Number(text) * 1_000);
  const until = timeOf(text);
  return until === undefined ? undefined : capped(until - (timeOf(sentAt?.trim() ?? '') ?? nowMs));
}

function timeOf(text: string): number | undefined {
  const time = HTTP_DATE.test(text) ? Date.parse(text) : NaN;
  return Number.isNaN(time) ? undefined : time;
}

const capped = (ms: number): number => Math.min(MAX_RETRY_AFTER_MS, Math.max(0, ms));
