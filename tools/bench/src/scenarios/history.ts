/** The product on empty tables, compared with the product with a long history: old orders must not make new ones slower. */
import { reportOf } from '../comparison';
import { fillHistory } from '../history/fill';
import { auditSums } from '../history/sums';
import { type Burst, measureBurst } from '../measure';
import type { Scenario } from '../scenario';
import { Shop } from '../shop';
import { perSecond } from '../table';

const GOAL = 0.9;

export const history: Scenario = async (options, say) => {
  const { orders, concurrency, rounds, provider } = options;
  const shop = await Shop.open({ options, connections: concurrency, say });
  const { stack } = shop.system;
  const measure = async (name: string): Promise<Burst[]> => {
    say('  warming up');
    await shop.warmUp();
    const bursts: Burst[] = [];
    while (bursts.length < rounds) {
      bursts.push(await measureBurst(shop, shop.postings(orders), concurrency));
      say(`  ${name}: ${perSecond(bursts.at(-1)!.ordersPerSecond)}`);
    }
    return bursts;
  };
  try {
    const before = await measure('without a history');
    const faultsBefore = await shop.audit();
    await fillHistory({ stack, orders: options.history, products: shop.products, say });
    const after = await measure('with a history');
    // The lists that the usual audit reads are too long now.
    const faultsAfter = [...(await auditSums(stack)), ...shop.ended()];
    const report = reportOf({
      names: ['before', 'after'],
      bursts: [before, after],
      goal: GOAL,
      provider,
      faults: [...faultsBefore, ...faultsAfter],
    });
    return {
      ...report,
      rows: [...report.rows, ['history', `${options.history} finished orders filled in`]],
      summary: { ...report.summary, history: options.history },
    };
  } finally {
    await shop.close();
  }
};
