/** Requests of one kind, one after the other by many clients: how long they took, what they cost, and what they got. */
import { inParallel } from '@shop/system';
import { type Cost, measureCost } from './cost';
import { costFiguresOf, medianTimes } from './figures';
import { median, percentiles, type Percentiles } from './load';
import type { Shop } from './shop';
import { round3 } from './table';
import type { PlainAnswer } from './tenant';

export interface Asked {
  requestsPerSecond: number;
  answerMs: Percentiles;
  cost: Cost;
  /** How many answers of which kind, such as `201` or `201 replayed`. */
  answers: Record<string, number>;
}

export interface AskOptions<Item> {
  shop: Shop;
  items: readonly Item[];
  concurrency: number;
  ask: (item: Item) => Promise<PlainAnswer>;
  /** What also belongs to the work, such as waiting until all orders are settled. */
  afterwards?: () => Promise<void>;
}

export async function measureAsking<Item>(options: AskOptions<Item>): Promise<Asked> {
  const { shop, items, concurrency, ask, afterwards } = options;
  const answers: Record<string, number> = {};
  const times: number[] = [];
  const { cost, seconds } = await measureCost(shop.system, items.length, async () => {
    await inParallel(items, concurrency, async (item) => {
      const began = performance.now();
      const answer = await ask(item);
      times.push(performance.now() - began);
      const kind = kindOf(answer);
      answers[kind] = (answers[kind] ?? 0) + 1;
    });
    await afterwards?.();
  });
  return { requestsPerSecond: items.length / seconds, answerMs: percentiles(times), cost, answers };
}

function kindOf({ status, isReplay, text }: PlainAnswer): string {
  if (status >= 400) return `${status} ${(JSON.parse(text) as { code?: string }).code ?? ''}`.trim();
  return isReplay ? `${status} replayed` : String(status);
}

/** The medians of several such loads; the answers are those of all of them. */
export function askedFiguresOf(all: readonly Asked[]) {
  const over = (figure: (asked: Asked) => number) => round3(median(all.map(figure)));
  const answers: Record<string, number> = {};
  for (const asked of all) {
    for (const [kind, count] of Object.entries(asked.answers)) answers[kind] = (answers[kind] ?? 0) + count;
  }
  const { cpuMsPerOrder, cpuMsByProcess, statementsPerOrder, roundTripsPerOrder } = costFiguresOf(all);
  return {
    requestsPerSecond: over(({ requestsPerSecond }) => requestsPerSecond),
    answerMs: medianTimes(all.map(({ answerMs }) => answerMs)),
    cpuMs: cpuMsPerOrder,
    cpuMsByProcess,
    statements: statementsPerOrder,
    roundTrips: roundTripsPerOrder,
    commits: over(({ cost }) => cost.commitsPerOrder),
    walBytes: over(({ cost }) => cost.walBytesPerOrder),
    answers,
  };
}

export type AskedFigures = ReturnType<typeof askedFiguresOf>;
