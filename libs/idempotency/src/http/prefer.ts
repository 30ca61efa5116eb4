/** `Prefer: wait=N` (RFC 7240): how long the caller is willing to wait for the answer. */

/** The longest wait, in seconds. */
const MAX_WAIT_SECONDS = 30;
/** One preference of the list, with its parameters. A comma inside a quoted text does not end it. */
const PREFERENCE = /(?:"(?:[^"\\]|\\.)*"?|[^",])+/g;
const WAIT = /^\s*wait\s*=\s*(?:"(\d+)"|(\d+))\s*(?:;|$)/i;

/** The wait in milliseconds, or undefined if there is no such preference. The first preference counts. */
export function preferredWaitMs(prefer: string | undefined): number | undefined {
  for (const preference of prefer?.match(PREFERENCE) ?? []) {
    const wait = WAIT.exec(preference);
    if (wait) return Math.min(Number(wait[1] ?? wait[2]), MAX_WAIT_SECONDS) * 1_000;
  }
  return undefined;
}
