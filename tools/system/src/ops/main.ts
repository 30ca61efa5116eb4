/** The process of `npm run ops`: lines on stdout, or one sentence on stderr and exit 1. */
import { OpsError } from './ask';
import { runOps } from './ops';

void main();

async function main(): Promise<void> {
  try {
    const lines = await runOps(process.argv.slice(2), process.env);
    process.stdout.write(`${lines.join('\n')}\n`);
  } catch (error) {
    process.stderr.write(`${error instanceof OpsError ? error.message : (error as Error).stack}\n`);
    process.exitCode = 1;
  }
}
