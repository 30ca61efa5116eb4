/** `npm run bench`: the product against the floor, in turn, on a fresh system; prints one table and one JSON line. */
import { StackError } from '@shop/stack';
import { runRound, type RoundOptions, type RoundResult } from './round';
import { printTable, summaryOf } from './report';

interface Options extends Omit<RoundOptions, 'seed' | 'say'> {
  rounds: number;
  seed: number;
}

void main();

async function main(): Promise<void> {
  const options = readOptions(process.argv.slice(2));
  const say = (sentence: string): void => void process.stderr.write(`${sentence}\n`);
  try {
    const rounds: RoundResult[] = [];
    for (let round = 1; round <= options.rounds; round++) {
      say(`Round ${round} of ${options.rounds}`);
      rounds.push(await runRound({ ...options, seed: options.seed + round, say }));
    }
    const summary = summaryOf(rounds);
    printTable(summary);
    process.stdout.write(`${JSON.stringify(summary)}\n`);
    process.exit(summary.faults.length === 0 ? 0 : 1);
  } catch (error) {
    process.stderr.write(`${error instanceof StackError ? error.message : (error as Error).stack}\n`);
    process.exit(1);
  }
}

/** `--orders 6000 --concurrency 64 --rounds 3 --steady-seconds 15 --skus 1000 --provider simulated --profile order` */
function readOptions(argv: string[]): Options {
  const given = new Map<string, string>();
  for (let index = 0; index < argv.length; index += 2)
    given.set(argv[index]!.replace(/^--/, ''), argv[index + 1] ?? '');
  const number = (name: string, usual: number): number => Number(given.get(name) ?? usual);
  return {
    rounds: number('rounds', 3),
    orders: number('orders', 6_000),
    warmUp: number('warm-up', 2_000),
    concurrency: number('concurrency', 64),
    skus: number('skus', 1_000),
    steadySeconds: number('steady-seconds', 15),
    steadyRate: number('steady-rate', 50),
    seed: number('seed', 42),
    provider: given.get('provider') === 'sandbox' ? 'sandbox' : 'simulated',
    profile: given.get('profile'),
  };
}
