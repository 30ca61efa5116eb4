/** More clients at once than the product takes: a client that gets a 503 must be told when to come again, and nothing is lost. */
import { inParallel, type Posting } from '@shop/system';
import { peakMemoryOf } from '../cost';
import { figuresOf, medianTimes } from '../figures';
import { pause, percentiles } from '../load';
import { measureBurst } from '../measure';
import type { Scenario } from '../scenario';
import { Shop } from '../shop';
import { booksOf, ms, perSecond, round3, times } from '../table';

/** A burst afterwards must be like any other burst. */
const USUAL_CONCURRENCY = 64;
const USUAL_ORDERS = 3_000;
/** A client without a `Retry-After`, or without an answer, comes again after this time. */
const USUAL_PAUSE_MS = 1_000;
/** A client with so many 503 answers would never be served. */
const MAX_ATTEMPTS = 200;

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
        ['answers', `${crowd.accepted} × 201, ${crowd.turnedAway} × 503, ${crowd.unanswered} without an answer`],
        ['503 without Retry-After', String(crowd.untold)],
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

/** Clients that come again with the same key after each 503, and what they have seen. */
class Crowd {
  accepted = 0;
  turnedAway = 0;
  /** Answers 503 without a Retry-After. */
  untold = 0;
  unanswered = 0;
  slowestOrderMs = 0;
  readonly answerMs: number[] = [];
  private readonly surprises: string[] = [];

  constructor(private readonly shop: Shop) {}

  async insist(posting: Posting): Promise<void> {
    const began = performance.now();
    for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
      const wait = await this.try(posting);
      if (wait === undefined) {
        this.slowestOrderMs = Math.max(this.slowestOrderMs, performance.now() - began);
        return;
      }
      await pause(wait);
    }
    this.surprises.push(`${posting.key} was turned away ${MAX_ATTEMPTS} times`);
  }

  /** Sentences about other faults that must not happen under too much load. */
  faults(): string[] {
    return [
      ...(this.untold > 0 ? [`${this.untold} answers 503 had no Retry-After`] : []),
      ...(this.unanswered > 0 ? [`${this.unanswered} requests got no answer`] : []),
      ...this.surprises,
    ];
  }

  /** Milliseconds to wait before the next try, or undefined when it was the last one. */
  private async try(posting: Posting): Promise<number | undefined> {
    const began = performance.now();
    const answer = await this.shop.tryToPlace(posting).catch(() => undefined);
    if (!answer) {
      this.unanswered++;
      return USUAL_PAUSE_MS;
    }
    this.answerMs.push(performance.now() - began);
    if (answer.status === 503) {
      this.turnedAway++;
      const seconds = Number(answer.retryAfter ?? NaN);
      if (Number.isFinite(seconds)) return seconds * 1_000;
      this.untold++;
      return USUAL_PAUSE_MS;
    }
    if (answer.status === 201) this.accepted++;
    else this.surprises.push(`${posting.key} was answered ${answer.status}: ${answer.text}`);
    return undefined;
  }
}

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
