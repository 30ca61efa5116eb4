/** The process of `npm run ops`: lines on stdout, or one sentence on stderr and exit 1. */
import { printableLines } from '@shop/observability';
import { OpsError } from './ask';
import { runOps } from './ops';

void main();

async function main(): Promise<void> {
  try {
    const lines = await runOps(process.argv.slice(2), process.env);
    process.stdout.write(`${lines.join('\n')}\n`);
  } catch (error) {
    const text = error instanceof OpsError ? error.message : (error as Error).stack!;
    process.stderr.write(`${printableLines(text)}\n`);
    process.exitCode = 1;
  }
}
