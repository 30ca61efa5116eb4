/**
 * Tells whether a failure is caused by the message itself, or by its surroundings (a database that is away, for
 * example).
 */
import { isPassing, LaneFullError } from '@shop/postgres';
import { RetryableError } from '@shop/resilience';

/** An error may be its own cause. */
const MAX_CAUSES = 10;
const MAX_ERROR_LENGTH = 2_000;

/** An unknown failure counts as caused by the message: otherwise it could come back for ever. */
export function isOwnFault(error: unknown): boolean {
  let at = error;
  for (let depth = 0; at !== undefined && depth < MAX_CAUSES; depth++) {
    if (at instanceof RetryableError || at instanceof LaneFullError || isPassing(at)) return false;
    at = (at as Error | null)?.cause;
  }
  return true;
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
