/** The two loads that measure the product: a burst, and a steady stream. */
import { inParallel, type Posting } from '@shop/system';
import { type Cost, measureCost } from './cost';
import { inOpenLoop, percentiles, type Percentiles } from './load';
import type { Shop } from './shop';

export interface Burst {
  ordersPerSecond: number;
  postMs: Percentiles;
  cost: Cost;
}

export interface Steady {
  postToFinalMs: Percentiles;
  cost: Cost;
}

/** A closed loop at this concurrency, until the last order is settled. */
export async function measureBurst(shop: Shop, postings: readonly Posting[], concurrency: number): Promise<Burst> {
  const latencies: number[] = [];
  const orders = firstsOf(postings).length;
  const { cost, seconds } = await measureCost(shop.system, orders, async () => {
    await inParallel(postings, concurrency, async (posting) => void latencies.push(await shop.post(posting)));
    await shop.untilSettled();
  });
  return { ordersPerSecond: orders / seconds, postMs: percentiles(latencies), cost };
}

/** An open loop of different orders, each awaited until it is settled. */
export async function measureSteady(shop: Shop, postings: readonly Posting[], perSecond: number): Promise<Steady> {
  const latencies: number[] = [];
  const firsts = firstsOf(postings);
  const { cost } = await measureCost(shop.system, firsts.length, () =>
    inOpenLoop(firsts, perSecond, async (posting) => void latencies.push(await shop.postAndWait(posting))),
  );
  return { postToFinalMs: percentiles(latencies), cost };
}

const firstsOf = (postings: readonly Posting[]): Posting[] => postings.filter(({ repeat }) => !repeat);
