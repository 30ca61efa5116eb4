/** A flash sale, compared with the same orders over the whole catalogue: all orders need one row of the stock. */
import { reportOf } from '../comparison';
import { inTurn, onePieceOf } from '../load';
import { type Burst, measureBurst } from '../measure';
import type { Scenario } from '../scenario';
import { Shop } from '../shop';
import { perSecond } from '../table';

const GOAL = 0.8;

export const flash: Scenario = async (options, say) => {
  const { orders, concurrency, rounds, provider } = options;
  const shop = await Shop.open({ options, connections: concurrency, say });
  try {
    say('  warming up');
    await shop.warmUp();
    const bursts: Record<'uniform' | 'flash', Burst[]> = { uniform: [], flash: [] };
    // Not the first ones, which are sold out.
    const onSale = shop.products.at(-1)!.sku;
    for (const kind of inTurn('uniform' as const, 'flash' as const, rounds)) {
      // Both kinds are one piece of one product, so that only the choice of product makes the difference.
      const postings = shop
        .postings(orders)
        .map((posting) => onePieceOf(kind === 'flash' ? onSale : posting.body.items[0]!.sku, posting));
      const burst = await measureBurst(shop, postings, concurrency);
      say(`  ${kind}: ${perSecond(burst.ordersPerSecond)}`);
      bursts[kind].push(burst);
    }
    return reportOf({
      names: ['uniform', 'flash'],
      bursts: [bursts.uniform, bursts.flash],
      goal: GOAL,
      provider,
      faults: await shop.audit(),
    });
  } finally {
    await shop.close();
  }
};
