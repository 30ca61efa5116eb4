/** More clients at once than the product takes: a client that is turned away must be told when to come again, and nothing is lost. */
import { inParallel } from '@shop/system';
import { peakMemoryOf } from '../cost';
import { Crowd } from '../crowd';
import { figuresOf, medianTimes } from '../figures';
import { percentiles } from '../load';
import { measureBurst } from '../measure';
import type { Scenario } from '../scenario';
import { Shop } from '../shop';
import { booksOf, ms, perSecond, round3, times } from '../table';

/** A burst afterwards must be like any other burst. */
const USUAL_CONCURRENCY = 64;
const USUAL_ORDERS = 3_000;
export const overload: Scenario = async (options, say) => {
  const { orders, concurrency, provider } = options;
  const usual = { ...options, concurrency: Math.min(concurrency, USUAL_CONCURRENCY) };
  const shop = await Shop.open({ options: usual, connections: concurrency, say });
  try {
    say('  warming up');
    await shop.warmUp();
    say(`  ${orders} orders at concurrency ${concurrency}`);
    const crowd = new Crowd(shop);
    const began = performance.now();
    await inParallel(shop.postings(orders), concurrency, (posting) => crowd.insist(posting));
    const answered = performance.now();
    await shop.untilSettled();
    const settled = performance.now();
    const seconds = (settled - began) / 1_000;
    const peakMiB = peakMemoryOf(shop.system);
    const unready = await unreadyOf(shop);
    say('  a usual burst afterwards');
    const usualOrders = Math.min(orders, USUAL_ORDERS);
    const burst = await measureBurst(shop, shop.postings(usualOrders), usual.concurrency);
    const afterwards = figuresOf([burst]);
    const faults = [...crowd.faults(), ...unready, ...(await shop.audit())];
    const answerMs = medianTimes([percentiles(crowd.answerMs)]);
    const warnings = Object.entries(shop.warnings).map(([event, times]) => `${times} × ${event}`);
    const slowestMs = Math.max(...crowd.answerMs);
    return {
      rows: [
        ['concurrency', String(concurrency)],
        ['accepted', perSecond(orders / seconds)],
        ['answers', `${crowd.accepted} × 201, ${crowd.turnedAway} × 429 or 503, ${crowd.unanswered} without an answer`],
        ['refusals without Retry-After', String(crowd.untold)],
        ['answer p50 / p95 / p99', times(answerMs)],
        ['slowest answer', `${slowestMs.toFixed(0)} ms`],
        ['slowest order, with its repeats', `${crowd.slowestOrderMs.toFixed(0)} ms`],
        ['last answer → all settled', `${(settled - answered).toFixed(0)} ms`],
        [
          'peak memory',
          Object.entries(peakMiB)
            .map(([name, mib]) => `${name} ${mib} MiB`)
            .join(', '),
        ],
        ['alive afterwards', unready.length === 0 ? 'all services' : unready.join('; ')],
        [
          `a burst of ${usualOrders} afterwards`,
          `${perSecond(afterwards.ordersPerSecond)}, ${ms(afterwards.cpuMsPerOrder)} of CPU per order`,
        ],
        ['warnings in the logs', warnings.length === 0 ? 'none' : warnings.join(', ')],
        ['provider', provider],
        ['books', booksOf(faults)],
      ],
      summary: {
        provider,
        concurrency,
        orders,
        acceptedPerSecond: round3(orders / seconds),
        accepted: crowd.accepted,
        turnedAway: crowd.turnedAway,
        withoutRetryAfter: crowd.untold,
        unanswered: crowd.unanswered,
        answerMs,
        slowestAnswerMs: round3(slowestMs),
        slowestOrderMs: round3(crowd.slowestOrderMs),
        lastAnswerToSettledMs: round3(settled - answered),
        peakMiB,
        warnings: shop.warnings,
        afterwards,
      },
      faults,
    };
  } finally {
    await shop.close();
  }
};

async function unreadyOf(shop: Shop): Promise<string[]> {
  const answers = await Promise.all(
    shop.system.processes.map(async ({ name, url }) => {
      const ready = await fetch(`${url}/health/ready`).then(
        ({ ok }) => ok,
        () => false,
      );
      return ready ? [] : [`the ${name} service is not ready afterwards`];
    }),
  );
  return answers.flat();
}
