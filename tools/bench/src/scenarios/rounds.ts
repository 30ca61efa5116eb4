/** The usual measurement: round by round a fresh system, the floor, a burst, a steady load, and the books. */
import { measureFloor } from '../floor';
import { costFiguresOf, costRows, type Figures, figureRows, figuresOf, medianTimes } from '../figures';
import { median } from '../load';
import { type Burst, measureBurst, measureSteady, type Steady } from '../measure';
import type { Options } from '../options';
import type { Say, Scenario, ScenarioReport } from '../scenario';
import { Shop } from '../shop';
import { booksOf, list, perSecond, round3, type Row, times } from '../table';

interface Round {
  floorPerSecond: number;
  burst: Burst;
  steady: Steady | undefined;
  faults: string[];
}

export const rounds: Scenario = async (options, say) => {
  const done: Round[] = [];
  for (let round = 1; round <= options.rounds; round++) {
    say(`Round ${round} of ${options.rounds}`);
    done.push(await runRound({ ...options, seed: options.seed + round }, say));
  }
  return reportOf(done, options);
};

async function runRound(options: Options, say: Say): Promise<Round> {
  const { orders, concurrency, steadyRate, steadySeconds, steadyWarmUp } = options;
  const shop = await Shop.open({ options, connections: concurrency, say });
  try {
    say('  measuring the floor');
    const floorPerSecond = await measureFloor({
      databaseUrl: shop.system.stack.databaseUrl('order'),
      orders,
      concurrency,
      agent: shop.agent,
    });
    say('  warming up');
    await shop.warmUp();
    say(`  burst of ${orders} orders at concurrency ${concurrency}`);
    const burst = await measureBurst(shop, shop.postings(orders), concurrency);
    say(`  ${perSecond(burst.ordersPerSecond)}, ${(burst.ordersPerSecond / floorPerSecond).toFixed(2)} of the floor`);
    let steady: Steady | undefined;
    if (steadySeconds > 0) {
      if (steadyWarmUp > 0) {
        say(`  warming up with ${steadyWarmUp} orders, one behind the other`);
        for (const posting of shop.postings(steadyWarmUp)) await shop.postAndWait(posting);
      }
      say(`  ${steadyRate} orders/s for ${steadySeconds} s`);
      steady = await measureSteady(shop, shop.postings(steadyRate * steadySeconds), steadyRate);
    }
    await shop.untilSettled();
    return { floorPerSecond, burst, steady, faults: await shop.audit() };
  } finally {
    await shop.close();
  }
}

function reportOf(done: readonly Round[], { provider }: Options): ScenarioReport {
  const floorPerSecond = round3(median(done.map((round) => round.floorPerSecond)));
  const ratios = done.map((round) => round3(round.burst.ordersPerSecond / round.floorPerSecond));
  const ratioToFloor = round3(median(ratios));
  const figures: Figures = figuresOf(done.map(({ burst }) => burst));
  const steadies = done.flatMap(({ steady }) => steady ?? []);
  const steady =
    steadies.length === 0
      ? undefined
      : { postToFinalMs: medianTimes(steadies.map(({ postToFinalMs }) => postToFinalMs)), ...costFiguresOf(steadies) };
  const faults = done.flatMap((round) => round.faults);
  return {
    rows: [
      ['provider', provider],
      ['floor', perSecond(floorPerSecond)],
      ['product', perSecond(figures.ordersPerSecond)],
      ['ratio to the floor', `${ratioToFloor.toFixed(2)} (by round: ${list(ratios, 2)})`],
      ...figureRows([figures]),
      ...(steady
        ? [['steady: POST → final', times(steady.postToFinalMs)] as Row, ...costRows([steady], 'steady: ')]
        : []),
      ['books', booksOf(faults)],
    ],
    summary: { rounds: done.length, provider, floorPerSecond, ratioToFloor, ratios, ...figures, steady },
    faults,
  };
}
