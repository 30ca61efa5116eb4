/** Two processes of each service, compared with one, on the same databases; the load goes to the order services in turn. */
import type { ServiceProcess } from '@shop/system';
import { reportOf } from '../comparison';
import { inTurn } from '../load';
import { type Burst, measureBurst } from '../measure';
import type { Scenario } from '../scenario';
import { Shop } from '../shop';
import { perSecond } from '../table';

const GOAL = 0.9;
const REPLICATED = ['inventory', 'payment', 'order'] as const;

export const replicas: Scenario = async (options, say) => {
  const { orders, concurrency, rounds, provider } = options;
  const shop = await Shop.open({ options, connections: concurrency, say });
  try {
    say('  warming up one of each');
    await shop.warmUp();
    const bursts: Record<'one' | 'two', Burst[]> = { one: [], two: [] };
    let second: ServiceProcess[] | undefined;
    let running: 'one' | 'two' = 'one';
    for (const wanted of inTurn('one' as const, 'two' as const, rounds)) {
      if (wanted !== running && wanted === 'one') await Promise.all(second!.map((service) => service.stop()));
      if (wanted !== running && wanted === 'two') {
        say('  starting and warming up the second of each');
        if (second) await Promise.all(second.map((service) => service.start()));
        else second = await Promise.all(REPLICATED.map((name) => shop.system.addReplica(name)));
        // Twice as many, so that each of the two gets as much as the single process got.
        await shop.warmUp();
        await shop.warmUp();
      }
      running = wanted;
      const burst = await measureBurst(shop, shop.postings(orders), concurrency);
      say(`  ${wanted} of each: ${perSecond(burst.ordersPerSecond)}`);
      bursts[wanted].push(burst);
    }
    return reportOf({
      names: ['one', 'two'],
      bursts: [bursts.one, bursts.two],
      goal: GOAL,
      provider,
      faults: await shop.audit(),
    });
  } finally {
    await shop.close();
  }
};
