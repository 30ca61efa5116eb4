/** One tenant sends more orders than a slow provider can take: what becomes of them, and of those of another tenant. */
import { inParallel } from '@shop/system';
import { Crowd } from '../crowd';
import { percentiles } from '../load';
import type { Scenario } from '../scenario';
import { Shop } from '../shop';
import { sumOf } from '../statements';
import { booksOf, endsOf, perSecond, round3, times } from '../table';
import { measure } from './neighbour';

const PROVIDER_DELAY_MS = 2_000;
/** The 99th percentile of the neighbour, as a multiple of what the slow provider gives it alone. */
const GOAL = 3;
/** What this scenario must not show: orders that were taken and not carried out. */
const GIVEN_UP = 'cancelled: timed_out';

export const slowProvider: Scenario = async (given, say) => {
  const options = { ...given, provider: 'sandbox' as const };
  const { orders, concurrency, steadyRate, steadySeconds } = options;
  const shop = await Shop.open({ options, connections: concurrency, say });
  const other = await shop.neighbour();
  try {
    say('  warming up');
    await shop.warmUp();
    const { sandbox } = shop.clients();
    await sandbox.put('/admin/faults', { delayMs: PROVIDER_DELAY_MS });
    say(`  alone: ${steadyRate} orders/s for ${steadySeconds} s`);
    const quiet = await measure(other, options);
    const before = await callsOf(shop);
    say(`  beside ${orders} orders of another tenant`);
    const crowd = new Crowd(shop);
    const began = performance.now();
    const crowding = inParallel(shop.postings(orders), concurrency, (posting) => crowd.insist(posting));
    const flooded = await measure(other, options);
    await crowding;
    const takenAfterS = (performance.now() - began) / 1_000;
    say('  waiting for the last order');
    await shop.untilSettled();
    await other.untilSettled();
    const seconds = (performance.now() - began) / 1_000;
    const calls = (await callsOf(shop)) - before;
    const [floodEnds, otherEnds] = await Promise.all([shop.ends(), other.ends()]);
    const { body } = await sandbox.get<{ charges: { refunded: number }[] }>('/admin/charges');
    const refunded = body.charges.filter((charge) => charge.refunded > 0).length;
    const factor = round3(flooded.p99 / quiet.p99);
    const givenUp = (floodEnds[GIVEN_UP] ?? 0) + (otherEnds[GIVEN_UP] ?? 0);
    const faults = [
      ...crowd.faults(),
      ...(givenUp > 0 ? [`${givenUp} orders were taken and not carried out in time`] : []),
      ...(refunded > 0 ? [`${refunded} charges were made to be given back`] : []),
      ...(await shop.audit()),
      ...(await other.audit()),
    ];
    const answerMs = percentiles(crowd.answerMs);
    return {
      rows: [
        ['alone: POST → final p50 / p95 / p99', times(quiet)],
        [`beside ${orders} orders of another tenant`, times(flooded)],
        ['p99, compared', `${factor.toFixed(1)} × (goal: at most ${GOAL} ×)`],
        ['orders of the neighbour', endsOf(otherEnds)],
        ['orders of the flood', endsOf(floodEnds)],
        ['the flood was turned away', `${crowd.turnedAway} × 429 or 503; all taken after ${takenAfterS.toFixed(0)} s`],
        ['its answers p50 / p95 / p99', times(answerMs)],
        ['settled', perSecond(orders / seconds)],
        ['calls to the provider', `${calls} for about ${orders} orders; ${refunded} charges given back`],
        ['provider', `sandbox, ${PROVIDER_DELAY_MS} ms`],
        ['books', booksOf(faults)],
      ],
      summary: {
        delayMs: PROVIDER_DELAY_MS,
        concurrency,
        orders,
        steadyRate,
        steadySeconds,
        quiet,
        flooded,
        factor,
        floodEnds,
        otherEnds,
        turnedAway: crowd.turnedAway,
        takenAfterS: round3(takenAfterS),
        answerMs,
        calls,
        refunded,
      },
      faults,
    };
  } finally {
    await other.close();
    await shop.close();
  }
};

async function callsOf(shop: Shop): Promise<number> {
  const response = await fetch(`${shop.system.services.payment.managementUrl}/metrics`);
  return sumOf([await response.text()], 'payment_provider_calls_total') ?? 0;
}
