/** `Prefer: wait=N` (RFC 7240): how long the caller would rather wait than ask again. */

/** Longest wait that anybody gets, in seconds. */
const MAX_WAIT_SECONDS = 30;

/** Milliseconds; undefined when there is no such preference. */
export function preferredWaitMs(prefer: string | undefined): number | undefined {
  const match = /(?:^|[\s,;])wait\s*=\s*"?(\d{1,6})"?/i.exec(prefer ?? '');
  return match ? Math.min(Number(match[1]), MAX_WAIT_SECONDS) * 1_000 : undefined;
}
