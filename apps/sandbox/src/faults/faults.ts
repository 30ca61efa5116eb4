/** Decides what goes wrong with a request: by the rates set over the admin route, and by what its source asks for. */
import { ApiPropertyOptional } from '@nestjs/swagger';
import { IsInt, Max, Min } from 'class-validator';
import type { Source } from '../stripe/sources';
import type { Fault } from './fault';
import { seeded } from './seeded';
import { checkShares, Seed, Share } from './shares';

export interface Plan {
  delayMs: number;
  fault?: Fault;
}

/** Longer than any caller's timeout, short enough for the server's own. */
const MAX_DELAY_MS = 30_000;
/** So many keys of sources that fail once are remembered; then the oldest key may fail once more. */
const MAX_REMEMBERED_KEYS = 100_000;

export class FaultSettings {
  @ApiPropertyOptional({ description: 'wait before every answer' })
  @IsInt()
  @Min(0)
  @Max(MAX_DELAY_MS)
  delayMs: number = 0;
  @ApiPropertyOptional({ description: 'up to this much more, evenly spread' })
  @IsInt()
  @Min(0)
  @Max(MAX_DELAY_MS)
  jitterMs: number = 0;
  @Share('share answered with 500, without a charge')
  errorRate: number = 0;
  @Share('share of connections reset, without a charge')
  resetRate: number = 0;
  @Share('share of connections closed after the work was done')
  lostAnswerRate: number = 0;
  @Share('share never answered: the work was done, and the connection is held open')
  neverAnswerRate: number = 0;
  @Share('share answered with 429 and Retry-After: 1, without a charge')
  rateLimitRate: number = 0;
  @Seed('the same seed gives the same faults in the same order')
  seed: number = 1;
}

function sumOfRates(settings: FaultSettings): number {
  const { errorRate, resetRate, lostAnswerRate, neverAnswerRate, rateLimitRate } = settings;
  return errorRate + resetRate + lostAnswerRate + neverAnswerRate + rateLimitRate;
}

/** @throws Problem 400 when there would be more faults than requests */
export const checkRates = (settings: FaultSettings): void => checkShares(sumOfRates(settings), 'requests');

/** An API with more faults than these has settings of its own. */
export class FaultPlanner<Settings extends FaultSettings = FaultSettings> {
  private settings: Settings;
  private random: () => number;
  private readonly attemptedKeys = new Set<string>();

  constructor(atStart = new FaultSettings() as Settings) {
    this.settings = atStart;
    this.random = seeded(atStart.seed);
  }

  current(): Settings {
    return this.settings;
  }

  /** Restarts the random generator, so that a repeated test sees the same faults. */
  use(settings: Settings): void {
    this.settings = settings;
    this.random = seeded(settings.seed);
  }

  /** @param source of a charge that has no answer yet; without an idempotency key every attempt counts as the first one. */
  plan(source?: Source, idempotencyKey?: string): Plan {
    const { delayMs, jitterMs } = this.settings;
    // Two random numbers for every request, whatever the settings: so one request does not change the numbers of the next.
    const jitter = Math.round(this.random() * jitterMs);
    const fault = this.faultAt(this.random());
    const plan = { delayMs: delayMs + jitter + (source?.delayMs ?? 0), fault };
    if (fault || !source?.firstAttempt || !this.isFirst(idempotencyKey)) return plan;
    return { ...plan, fault: source.firstAttempt };
  }

  private faultAt(share: number): Fault | undefined {
    const { resetRate, rateLimitRate, errorRate, lostAnswerRate, neverAnswerRate } = this.settings;
    let edge = resetRate;
    if (share < edge) return 'reset';
    if (share < (edge += rateLimitRate)) return 'rate_limited';
    if (share < (edge += errorRate)) return 'error';
    if (share < (edge += lostAnswerRate)) return 'answer_lost';
    return share < edge + neverAnswerRate ? 'never_answered' : undefined;
  }

  private isFirst(key: string | undefined): boolean {
    if (key === undefined) return true;
    if (this.attemptedKeys.has(key)) return false;
    if (this.attemptedKeys.size >= MAX_REMEMBERED_KEYS) this.forgetOldest();
    this.attemptedKeys.add(key);
    return true;
  }

  private forgetOldest(): void {
    for (const oldest of this.attemptedKeys) {
      this.attemptedKeys.delete(oldest);
      return;
    }
  }
}
