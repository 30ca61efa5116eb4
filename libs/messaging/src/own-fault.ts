/**
 * Tells whether a failure is caused by the message itself, or by its surroundings (a database that is away, for
 * example).
 */
import { faultOf, LaneFullError } from '@shop/postgres';
import { RetryableError } from '@shop/resilience';

/**
 * `unsure`: PostgreSQL gave a code that does not tell. It is taken for the message's own fault only while other
 * messages go through.
 */
export type Blame = 'message' | 'surroundings' | 'unsure';

/** An error may be its own cause. */
const MAX_CAUSES = 10;
const MAX_ERROR_LENGTH = 2_000;

/** A failure that nobody knows counts as caused by the message: otherwise it could come back for ever. */
export function blameFor(error: unknown): Blame {
  if (saysLater(error)) return 'surroundings';
  const fault = faultOf(error);
  if (fault === 'unknown') return 'unsure';
  return fault === undefined || fault === 'request' ? 'message' : 'surroundings';
}

function saysLater(error: unknown): boolean {
  let at = error;
  for (let depth = 0; at !== undefined && at !== null && depth < MAX_CAUSES; depth++) {
    if (at instanceof RetryableError || at instanceof LaneFullError) return true;
    at = (at as Error).cause;
  }
  return false;
}

/** Name, code and message only: PostgreSQL puts the values of the failing row into a further field. */
export function errorText(error: unknown): string {
  if (!(error instanceof Error)) return storable(String(error), MAX_ERROR_LENGTH);
  const { name, message } = error;
  const { code } = error as { code?: unknown };
  const head = typeof code === 'string' ? `${name} ${code}` : name;
  return storable(`${head}: ${message}`, MAX_ERROR_LENGTH);
}

/** The text as PostgreSQL can store it: without NUL and single surrogates, and not longer than this. */
export function storable(text: string, maxLength: number): string {
  return text.slice(0, maxLength).replaceAll(/[\0\p{Cs}]/gu, '\ufffd');
}
