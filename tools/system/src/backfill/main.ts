/** The process of `npm run backfill`: what it tells on stdout, or one sentence on stderr and exit 1. */
import { printable, printableLines } from '@shop/observability';
import { OpsError } from '../ops/ask';
import { barOn, linesTo } from './progress';
import { runBackfill } from './run';

void main();

async function main(): Promise<void> {
  const stopping = new AbortController();
  // The bar is taken away and the cursor comes back before the process ends.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stopping.abort());
  const write = (text: string) => void process.stdout.write(`${printableLines(text)}\n`);
  const progress = () => (process.stdout.isTTY ? barOn(process.stdout) : linesTo(write));
  try {
    await runBackfill(process.argv.slice(2), process.env, { write, progress, stop: stopping.signal });
  } catch (error) {
    const text = error instanceof OpsError ? printable(error.message) : printableLines((error as Error).stack!);
    process.stderr.write(`${text}\n`);
    process.exitCode = 1;
  }
}
