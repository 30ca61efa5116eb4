/** A secret that stands in a file, and what is said to whoever starts the service when it cannot be used. */
import { readFileSync } from 'node:fs';

/** With a code, the process ends with this sentence and no stack. */
export const operatorsError = (code: string, sentence: string): Error => Object.assign(new Error(sentence), { code });

/**
 * The content of the file that a variable names.
 * @throws Error of `operatorsError` with this code when the file cannot be read
 */
export function secretIn(file: string, { variable, code }: { variable: string; code: string }): string {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (error) {
    const { code: why } = error as NodeJS.ErrnoException;
    throw operatorsError(code, `the file ${file} of ${variable} cannot be read (${why})`);
  }
}
