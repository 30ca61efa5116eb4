/**
 * Statements that end their transaction on purpose when the data is not as it was presumed. SQL has no `raise` outside
 * of procedures, so they cast a word to a number.
 */
const INVALID_TEXT_REPRESENTATION = '22P02';

/**
 * Runs the change (with a `returning`), or the reading, and fails with the word unless it hits so many rows.
 * @param times a number or a parameter such as `$3`
 */
export const countedOrFail = (word: string, change: string, times: string): string =>
  `with changed as (${change}) select case count(*) when ${times} then 0 else ('${word} ' || count(*))::int end from changed`;

/** True when a statement failed because it cast this word to a number. */
export function isBadNumber(error: unknown, word: string): boolean {
  const { code, message } = (error ?? {}) as { code?: string; message?: string };
  return code === INVALID_TEXT_REPRESENTATION && message!.includes(`"${word}`);
}
