/** `npm run saga`: lists and shows the sagas of a running system, and acts on those that need somebody. */
import { ApiClient } from './api-client';
import { DEVELOPMENT_KEY } from './development-key';
import { operate, OperateError } from './operate';
import { readCommand, UsageError } from './saga-command';

const DEFAULT_URL = 'http://127.0.0.1:3000';

void main();

async function main(): Promise<void> {
  const { ORDER_URL, API_KEY } = process.env;
  const api = new ApiClient((ORDER_URL || DEFAULT_URL).replace(/\/+$/, ''), API_KEY || DEVELOPMENT_KEY);
  try {
    const lines = await operate(readCommand(process.argv.slice(2)), api);
    process.stdout.write(`${lines.join('\n')}\n`);
  } catch (error) {
    const expected = error instanceof UsageError || error instanceof OperateError;
    process.stderr.write(`${expected ? error.message : (error as Error).stack}\n`);
    process.exitCode = 1;
  }
}
