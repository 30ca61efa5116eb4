// Files in git that say what the code makes, so that a review sees what a change changes.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { relative } from 'node:path';

/**
 * Compares the text with the file. With UPDATE_SCHEMA set, it writes the file instead. The cure in the message names the
 * Jest project, such as `@shop/order`, and a pattern for its test.
 */
export function expectKeptFile(file: string, text: string, cure: { project: string; pattern: string }): void {
  if (process.env.UPDATE_SCHEMA) {
    writeFileSync(file, text);
    return;
  }
  try {
    expect(text).toBe(existsSync(file) ? readFileSync(file, 'utf8') : '');
  } catch (error) {
    const message = `The code no longer makes what ${relative('.', file)} says. If that is meant, run
  UPDATE_SCHEMA=1 npx jest --selectProjects ${cure.project} --testPathPatterns ${cure.pattern}
and commit the file with the change.`;
    throw new Error(`${message}\n\n${(error as Error).message}`, { cause: error });
  }
}
