/** `npm run ops`: what operators do in a running system. It starts nothing and needs no build. */
import { printable } from '@shop/observability';
import { OpsError } from './ask';
import { readCommand, usage } from './command-line';
import { runDeadLetters } from './dead-letters';
import { runErasure } from './erasure';
import { runKeys } from './keys';
import { runSagas } from './sagas';

/** Answers the lines to be printed, in which nothing is left that a terminal would obey. @throws OpsError */
export async function runOps(argv: readonly string[], env: NodeJS.ProcessEnv): Promise<string[]> {
  try {
    return (await linesFor(argv, env)).map(printable);
  } catch (error) {
    throw error instanceof OpsError ? new OpsError(printable(error.message)) : error;
  }
}

async function linesFor(argv: readonly string[], env: NodeJS.ProcessEnv): Promise<string[]> {
  const command = readCommand(argv);
  switch (command.subject) {
    case 'help':
      return usage.split('\n');
    case 'sagas':
      return runSagas(command, env);
    case 'dead-letters':
      return runDeadLetters(command, env);
    case 'keys':
      return runKeys(command, env);
    case 'erase':
      return runErasure(command, env);
  }
}
