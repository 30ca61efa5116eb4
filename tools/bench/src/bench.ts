/** `npm run bench`: one scenario on a fresh system; prints a table and one JSON line, and exits with 1 when the books are wrong. */
import { printableLines } from '@shop/observability';
import { StackError } from '@shop/stack';
import { OptionError, readOptions, type ScenarioName } from './options';
import type { Scenario } from './scenario';
import { backfillUnderLoad } from './scenarios/backfill-under-load';
import { flash } from './scenarios/flash';
import { flashReservations } from './scenarios/flash-reservations';
import { growth } from './scenarios/growth';
import { history } from './scenarios/history';
import { invoices } from './scenarios/invoices';
import { neighbour } from './scenarios/neighbour';
import { operatorLists } from './scenarios/operator-lists';
import { overload } from './scenarios/overload';
import { replicas } from './scenarios/replicas';
import { putVsPost } from './scenarios/put-vs-post';
import { rounds } from './scenarios/rounds';
import { hangingProvider } from './scenarios/hanging-provider';
import { slowProvider } from './scenarios/slow-provider';
import { traces } from './scenarios/traces';
import { tableOf } from './table';

const scenarios: Record<ScenarioName, Scenario> = {
  rounds,
  flash,
  history,
  replicas,
  growth,
  overload,
  neighbour,
  'slow-provider': slowProvider,
  'hanging-provider': hangingProvider,
  'put-vs-post': putVsPost,
  'flash-reservations': flashReservations,
  'backfill-under-load': backfillUnderLoad,
  invoices,
  'operator-lists': operatorLists,
  traces,
};

void main();

async function main(): Promise<void> {
  const say = (sentence: string): void => void process.stderr.write(`${printableLines(sentence)}\n`);
  try {
    const options = readOptions(process.argv.slice(2));
    if (options.scenario !== 'rounds') say(`Scenario ${options.scenario}`);
    const { rows, summary, faults } = await scenarios[options.scenario](options, say);
    process.stdout.write(`${printableLines(tableOf(rows))}\n`);
    process.stdout.write(`${JSON.stringify({ scenario: options.scenario, ...summary, faults })}\n`);
    process.exit(faults.length === 0 ? 0 : 1);
  } catch (error) {
    const foreseen = error instanceof StackError || error instanceof OptionError;
    say(foreseen ? error.message : ((error as Error).stack ?? String(error)));
    process.exit(1);
  }
}
