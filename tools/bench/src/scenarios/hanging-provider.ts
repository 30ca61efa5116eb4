/** Orders that need no provider, while other orders wait for one that does not answer: they must not wait with them. */
import { inParallel } from '@shop/system';
import { inTurn, onePieceOf, pause } from '../load';
import type { Scenario } from '../scenario';
import { Shop } from '../shop';
import { booksOf, endsOf, perSecond, round3 } from '../table';

/** Longer than any call may take. */
const PROVIDER_DELAY_MS = 30_000;
/** Enough for every call that may be made at once, and as many again that wait for their turn. */
const WAITING_ORDERS = 128;
const GOAL = 0.9;
/** Their charges begin to hang before the measurement does. */
const SETTLE_MS = 1_000;

export const hangingProvider: Scenario = async (given, say) => {
  const options = { ...given, provider: 'sandbox' as const };
  const { orders, concurrency, rounds } = options;
  const shop = await Shop.open({ options, connections: concurrency + WAITING_ORDERS, say });
  try {
    say('  warming up');
    await shop.warmUp();
    const { sandbox } = shop.clients();
    const soldOut = shop.products[0]!.sku;
    const refusedPerSecond = async (): Promise<number> => {
      const postings = shop.postings(orders).map((posting) => onePieceOf(soldOut, posting));
      const began = performance.now();
      await inParallel(postings, concurrency, (posting) => shop.postAndWait(posting));
      return (postings.length * 1_000) / (performance.now() - began);
    };
    const usual: number[] = [];
    const hanging: number[] = [];
    for (const kind of inTurn('usual' as const, 'hanging' as const, rounds)) {
      if (kind === 'usual') {
        usual.push(await refusedPerSecond());
        say(`  usual: ${perSecond(usual.at(-1)!)}`);
        continue;
      }
      await sandbox.put('/admin/faults', { delayMs: PROVIDER_DELAY_MS });
      const waiting = inParallel(shop.postings(WAITING_ORDERS), WAITING_ORDERS, (posting) => shop.post(posting));
      await pause(SETTLE_MS);
      hanging.push(await refusedPerSecond());
      say(`  beside ${WAITING_ORDERS} orders that wait: ${perSecond(hanging.at(-1)!)}`);
      await waiting;
      await sandbox.send('DELETE', '/admin/faults');
      await shop.untilSettled();
    }
    const factor = round3(meanOf(hanging) / meanOf(usual));
    const ends = await shop.ends();
    const faults = await shop.audit();
    return {
      rows: [
        ['refused for the stock', perSecond(meanOf(usual))],
        [`beside ${WAITING_ORDERS} orders that wait for the provider`, perSecond(meanOf(hanging))],
        ['compared', `${factor.toFixed(2)} (goal: at least ${GOAL})`],
        ['orders', endsOf(ends)],
        ['books', booksOf(faults)],
      ],
      summary: { orders, concurrency, waiting: WAITING_ORDERS, usual, hanging, factor, ends },
      faults,
    };
  } finally {
    await shop.close();
  }
};

const meanOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
