/** The product as the concurrency grows: where the throughput levels off, and what the latency does then. */
import { forgetPeakMemory } from '../cost';
import { figuresOf, type Figures } from '../figures';
import { measureBurst } from '../measure';
import type { Scenario } from '../scenario';
import { Shop } from '../shop';
import { booksOf, perSecond, type Row } from '../table';

const LEVELS = [1, 4, 16, 64, 256, 512];
/** One client that waits for each answer places so many in a few seconds. */
const ORDERS_PER_CLIENT = 600;

export const growth: Scenario = async (options, say) => {
  const { provider } = options;
  const shop = await Shop.open({ options, connections: LEVELS.at(-1)!, say });
  try {
    say('  warming up');
    await shop.warmUp();
    const levels: { concurrency: number; orders: number; figures: Figures }[] = [];
    for (const concurrency of LEVELS) {
      const orders = ordersAt(concurrency, options.orders);
      forgetPeakMemory(shop.system);
      const figures = figuresOf([await measureBurst(shop, shop.postings(orders), concurrency)]);
      say(`  concurrency ${concurrency}: ${perSecond(figures.ordersPerSecond)}`);
      levels.push({ concurrency, orders, figures });
    }
    const faults = await shop.audit();
    const services = Object.keys(levels[0]!.figures.peakMiB);
    return {
      rows: [
        ['concurrency', 'orders', 'orders/s', 'POST p50', 'p99', 'CPU per order', `peak MiB: ${services.join(' / ')}`],
        ...levels.map(({ concurrency, orders, figures }): Row => {
          const { postMs, cpuMsPerOrder, peakMiB, ordersPerSecond } = figures;
          return [
            String(concurrency),
            String(orders),
            ordersPerSecond.toFixed(0),
            `${postMs.p50.toFixed(1)} ms`,
            `${postMs.p99.toFixed(1)} ms`,
            `${cpuMsPerOrder.toFixed(2)} ms`,
            services.map((name) => peakMiB[name]).join(' / '),
          ];
        }),
        ['provider', provider],
        ['books', booksOf(faults)],
      ],
      summary: {
        provider,
        levels: levels.map(({ figures, ...level }) => ({ ...level, ...figures })),
      },
      faults,
    };
  } finally {
    await shop.close();
  }
};

/** Fewer orders at a low concurrency, so that each level takes about the same time. */
export function ordersAt(concurrency: number, most: number): number {
  return Math.min(most, concurrency * ORDERS_PER_CLIENT);
}
