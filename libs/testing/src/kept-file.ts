// Files in git that show what the code makes, so that a review sees the effect of a change.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { relative } from 'node:path';

export interface Cure {
  /** The Jest project, such as `@shop/order`. */
  project: string;
  /** Of the file of the test. */
  pattern: string;
  /** The variable of the environment that has the file written. */
  variable?: string;
}

/** Compares the text with the file. With the variable set, it writes the file instead. The error message says how. */
export function expectKeptFile(
  file: string,
  text: string,
  { project, pattern, variable = 'UPDATE_SCHEMA' }: Cure,
): void {
  if (process.env[variable]) {
    writeFileSync(file, text);
    return;
  }
  try {
    expect(text).toBe(existsSync(file) ? readFileSync(file, 'utf8') : '');
  } catch (error) {
    const message = `The code no longer makes what ${relative('.', file)} says. If that is meant, run
  ${variable}=1 npx jest --selectProjects ${project} --testPathPatterns ${pattern}
and commit the file with the change.`;
    throw new Error(`${message}\n\n${(error as Error).message}`, { cause: error });
  }
}
