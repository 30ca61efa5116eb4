/** `npm run dead-letters -- …`: one sentence and exit 1 when it cannot be done. */
import { CommandError, runDeadLetters } from './dead-letters-command';

void main();

async function main(): Promise<void> {
  try {
    process.stdout.write(`${await runDeadLetters(process.argv.slice(2), process.env)}\n`);
  } catch (error) {
    process.stderr.write(`${error instanceof CommandError ? error.message : (error as Error).stack}\n`);
    process.exitCode = 1;
  }
}
