/** `npm run demo`: orders of every kind on a fresh system, the story of each, and the books at the end. */
import { printableLines } from '@shop/observability';
import { StackError } from '@shop/stack';
import { auditBooks } from './books';
import { afterScenes } from './demo-after-scenes';
import { scenes } from './demo-scenes';
import { shopScenes } from './demo-shop-scenes';
import { print, Stage } from './demo-stage';
import { stopInOrder } from './orderly-stop';
import { catalogue, seed, seedOffers } from './seed';
import { startSystem, type System } from './system';

/** Nobody wants to watch for a quarter of an hour how a customer walks away. */
const APPROVAL_SECONDS = '5';

void main();

async function main(): Promise<void> {
  let system: System | undefined;
  let stopped = false;
  const stop = async (code: number): Promise<never> => {
    if (!stopped) await system?.stop();
    stopped = true;
    process.exit(code);
  };
  stopInOrder(() => void stop(130));
  try {
    system = await startSystem({
      ports: 'free',
      output: () => undefined,
      logFormat: 'json',
      say: (text) => print(text),
      env: { PAYMENT_APPROVAL_SECONDS: APPROVAL_SECONDS },
    });
    const stage = new Stage(system);
    await seed(stage.clients.order, stage.clients.inventory);
    await seedOffers(stage.clients.order, stage.clients.inventory);
    for (const { title, play } of [...shopScenes, ...scenes, ...afterScenes]) {
      print();
      print(title);
      await play(stage);
    }
    const faults = await settleBooks(stage);
    await stop(faults.length + stage.surprises.length === 0 ? 0 : 1);
  } catch (error) {
    const text = error instanceof StackError ? error.message : (error as Error).stack!;
    process.stderr.write(`${printableLines(text)}\n`);
    await stop(1);
  }
}

async function settleBooks({ clients }: Stage): Promise<string[]> {
  const initialStock = Object.fromEntries(catalogue.map(({ sku, onHand }) => [sku, onHand]));
  // What was restocked after a cancelled order counts as never sold.
  const report = await auditBooks({ ...clients, initialStock });
  print();
  print(`The books: ${report.orders} orders, ${report.confirmed} confirmed, ${report.cancelled} cancelled.`);
  for (const fault of report.faults) print(`  WRONG: ${fault}`);
  if (report.faults.length === 0)
    print('  Stock, payments, points, parcels, mails and orders agree: nothing lost, nothing doubled.');
  return report.faults;
}
