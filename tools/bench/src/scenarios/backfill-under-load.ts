/** A backfill of the table of orders while orders are placed: the past must not make the present slower. */
import type { ApiClient } from '@shop/system';
import { Client } from 'pg';
import { reportOf } from '../comparison';
import { measureCost } from '../cost';
import { fillHistory } from '../history/fill';
import { auditSums } from '../history/sums';
import { inTurn, median, pause } from '../load';
import { type Burst, measureBurst } from '../measure';
import type { Say, Scenario } from '../scenario';
import { Shop } from '../shop';
import { perSecond, round3 } from '../table';

const GOAL = 0.9;
const BACKFILL = '/backfills/orders-confirmed-at';
/** For the rest of the rows, when nothing is measured any more. */
const FASTEST = 100_000;
const LOOK_MS = 1_000;

interface Progress {
  status: string;
  worked: number;
  ratePerSecond: number;
  lastError: string | null;
}

export const backfillUnderLoad: Scenario = async (options, say) => {
  const { orders, concurrency, rounds, provider } = options;
  const shop = await Shop.open({ options, connections: concurrency, say });
  const { stack } = shop.system;
  const { order } = shop.clients();
  try {
    say('  warming up');
    await shop.warmUp();
    const faultsBefore = await shop.audit();
    await fillHistory({ stack, orders: options.history, products: shop.products, say });
    await shop.warmUp();
    const bursts: Record<'alone' | 'beside', Burst[]> = { alone: [], beside: [] };
    const rates: number[] = [];
    for (const wanted of inTurn('alone' as const, 'beside' as const, rounds)) {
      if (wanted === 'beside') await tell(order, 'running');
      const [before, began] = [await progressOf(order), performance.now()];
      const burst = await measureBurst(shop, shop.postings(orders), concurrency);
      const rate = ((await progressOf(order)).worked - before.worked) / ((performance.now() - began) / 1_000);
      if (wanted === 'beside') {
        await tell(order, 'paused');
        rates.push(Math.round(rate));
      }
      say(`  ${wanted}: ${perSecond(burst.ordersPerSecond)}, ${Math.round(rate)} rows/s backfilled`);
      bursts[wanted].push(burst);
    }
    const { ratePerSecond, worked } = await progressOf(order);
    const left = Math.max(1, options.history - worked);
    // Nothing else runs then, so this is what a row costs, however busy the machine is.
    const { cost } = await measureCost(shop.system, left, () => finish(order, say));
    const cpuMsPerRow = round3(cost.cpuMsTotal);
    const report = reportOf({
      names: ['alone', 'beside'],
      bursts: [bursts.alone, bursts.beside],
      goal: GOAL,
      provider,
      // The lists that the usual audit reads are too long now.
      faults: [
        ...faultsBefore,
        ...(await auditSums(stack)),
        ...(await faultsOf(stack.databaseUrl('order'), await progressOf(order), options.history)),
        ...(rates.some((rate) => rate <= 0) ? ['nothing was backfilled beside a burst'] : []),
        ...shop.ended(),
      ],
    });
    return {
      ...report,
      rows: [
        ...report.rows,
        ['backfill', `${median(rates)} rows/s of ${options.history} beside the bursts, at most ${ratePerSecond}`],
        ['CPU per row', `${cpuMsPerRow} ms, ${Math.round(cpuMsPerRow * ratePerSecond)} ms a second at the usual rate`],
      ],
      summary: { ...report.summary, history: options.history, rowsPerSecond: rates, ratePerSecond, cpuMsPerRow },
    };
  } finally {
    await shop.close();
  }
};

async function tell(order: ApiClient, status: 'running' | 'paused', ratePerSecond?: number): Promise<void> {
  const { status: answer, text } = await order.put(BACKFILL, { status, ratePerSecond });
  if (answer !== 200) throw new Error(`PUT ${BACKFILL} answered ${answer}: ${text}`);
}

async function progressOf(order: ApiClient): Promise<Progress> {
  const { status, text, body } = await order.get<Progress>(BACKFILL);
  if (status !== 200) throw new Error(`GET ${BACKFILL} answered ${status}: ${text}`);
  return body;
}

async function finish(order: ApiClient, say: Say): Promise<void> {
  say('  backfilling the rest');
  await tell(order, 'running', FASTEST);
  for (;;) {
    const { status, worked, lastError } = await progressOf(order);
    if (status === 'done') return say(`  ${worked} orders backfilled`);
    if (status !== 'running') throw new Error(`the backfill is ${status}: ${lastError}`);
    await pause(LOOK_MS);
  }
}

/** What it should have done. */
async function faultsOf(url: string, { worked }: Progress, history: number): Promise<string[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query<{ count: string }>(
      `select count(*) from orders where status = 'confirmed' and confirmed_at is null`,
    );
    const left = Number(rows[0]!.count);
    return [
      ...(left === 0 ? [] : [`${left} confirmed orders have no time of it`]),
      ...(worked >= history ? [] : [`the backfill has looked at ${worked} orders only`]),
    ];
  } finally {
    await client.end();
  }
}
