/** One tenant sends as much as it can: what is left for another one, compared with a quiet hour. */
import type { Posting } from '@shop/system';
import { DEVELOPMENT_KEY } from '@shop/system';
import { startFlood } from '../flooding';
import { inOpenLoop, pause, percentiles, type Percentiles } from '../load';
import type { Options } from '../options';
import type { Say, Scenario } from '../scenario';
import { Shop } from '../shop';
import { booksOf, round3, times } from '../table';
import type { Tenant } from '../tenant';

/** The 99th percentile under the flood, as a multiple of that without it. */
const GOAL = 3;
const CONNECTIONS = 64;
/** The flood has reached its height after this time. */
const RISING_MS = 3_000;

export const neighbour: Scenario = async (options, say) => {
  const { provider, concurrency, steadyRate, steadySeconds } = options;
  const shop = await Shop.open({ options, connections: CONNECTIONS, say });
  const other = await shop.neighbour();
  try {
    say('  warming up');
    await shop.warmUp();
    await measure(other, options);
    say(`  alone: ${steadyRate} orders/s for ${steadySeconds} s`);
    const quiet = await measure(other, options);
    const { flooded, flood, acceptedPerSecond } = await underFlood(shop, other, options, say);
    const factor = round3(flooded.p99 / quiet.p99);
    const faults = [...flood.faults, ...(await shop.audit()), ...(await other.audit())];
    return {
      rows: [
        ['alone: POST → final p50 / p95 / p99', times(quiet)],
        [`beside ${concurrency} clients of another tenant (${options.flood})`, times(flooded)],
        ['p99, compared', `${factor.toFixed(1)} × (goal: at most ${GOAL} ×)`],
        ['the other tenant', `${Math.round(acceptedPerSecond)} requests/s answered, ${flood.turnedAway} × 429 or 503`],
        ['provider', provider],
        ['books', booksOf(faults)],
      ],
      summary: {
        provider,
        flood: options.flood,
        concurrency,
        steadyRate,
        quiet,
        flooded,
        factor,
        acceptedPerSecond,
        ...flood,
      },
      faults,
    };
  } finally {
    await other.close();
    await shop.close();
  }
};

async function underFlood(shop: Shop, other: Tenant, options: Options, say: Say) {
  say(`  beside ${options.concurrency} clients of another tenant`);
  const began = performance.now();
  const stop = startFlood({
    urls: shop.system.urls,
    key: DEVELOPMENT_KEY,
    options: { ...options, seed: options.seed + 1 },
  });
  await pause(RISING_MS);
  const flooded = await measure(other, options);
  const flood = await stop();
  const seconds = (performance.now() - began) / 1_000;
  say('  waiting for the last order');
  await shop.untilSettled();
  return { flooded, flood, acceptedPerSecond: round3(flood.accepted / seconds) };
}

/** From POST to the end of the order. */
export async function measure(tenant: Tenant, { steadyRate, steadySeconds }: Options): Promise<Percentiles> {
  const latencies: number[] = [];
  const firsts = tenant.postings(steadyRate * steadySeconds).filter(({ repeat }) => !repeat);
  const order = async (posting: Posting) => void latencies.push(await tenant.postAndWait(posting));
  await inOpenLoop(firsts, steadyRate, order);
  return percentiles(latencies);
}
