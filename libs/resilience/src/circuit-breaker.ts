/**
 * A circuit breaker: what is down is left alone for a while, and whoever wants to call it is told at once.
 *
 * Closed, it lets every call through and counts the outcome of the last ones. When nearly all of them were outages it opens, and
 * refuses all calls for a while. Then it is half open: one call, the probe, is let through, and the others are refused
 * until it has ended. If the dependency has answered, the breaker closes. If not, it stays open for the same time again.
 */
import {
  circuitBreaker,
  type CircuitBreakerPolicy,
  CircuitState,
  CountBreaker,
  handleWhen,
  type IBackoff,
  TaskCancelledError,
} from 'cockatiel';
import { RetryableError } from './errors';

export interface CircuitBreakerOptions {
  isOutage: (error: unknown) => boolean;
  /** How long it refuses before the probe. */
  restMs?: number;
  /** Milliseconds of a clock that is never set. */
  now?: () => number;
  onChange?: (state: BreakerState) => void;
}

export type BreakerState = 'closed' | 'open' | 'half_open';

/** Thrown when the dependency is left alone. Nothing was called. */
export class CircuitOpenError extends RetryableError {
  constructor(retryAfterMs: number) {
    super('the circuit is open: nearly all of the last calls failed', { retryAfterMs });
    this.name = 'CircuitOpenError';
  }
}

/**
 * Of the last so many calls, nearly all have failed, and there were enough of them to tell. A dependency that loses every
 * third answer is not down: with half of the calls as the threshold, chance alone would open the circuit again and again.
 */
const WINDOW = { size: 20, minimumNumberOfCalls: 10, threshold: 0.8 };
const REST_MS = 5_000;

/** The library measures the rest by the time of day, which may be set. So its rest is none, and ours is measured here. */
const NO_REST: IBackoff<unknown> = { duration: Number.NEGATIVE_INFINITY, next: () => NO_REST };

export class CircuitBreaker {
  private readonly policy: CircuitBreakerPolicy;
  private readonly restMs: number;
  private readonly now: () => number;
  private openedAt = 0;

  constructor({ isOutage, restMs = REST_MS, now = () => performance.now(), onChange }: CircuitBreakerOptions) {
    this.restMs = restMs;
    this.now = now;
    // Of a probe that was cancelled nothing is known. It must not close the breaker.
    const isFailure = (error: Error) =>
      isOutage(error) || (this.state === 'half_open' && error instanceof TaskCancelledError);
    this.policy = circuitBreaker(handleWhen(isFailure), { halfOpenAfter: NO_REST, breaker: new CountBreaker(WINDOW) });
    this.policy.onStateChange((state) => {
      if (state === CircuitState.Open) this.openedAt = this.now();
      onChange?.(this.state);
    });
  }

  get state(): BreakerState {
    const { state } = this.policy;
    return state === CircuitState.Closed ? 'closed' : state === CircuitState.HalfOpen ? 'half_open' : 'open';
  }

  /** How long it still refuses calls. Zero if it would take one. */
  get refusesForMs(): number {
    if (this.state === 'closed') return 0;
    // Nobody knows how long the probe takes.
    if (this.state === 'half_open') return this.restMs;
    return Math.max(0, this.openedAt + this.restMs - this.now());
  }

  /**
   * Work that its caller has cancelled throws cockatiel's TaskCancelledError.
   * @throws CircuitOpenError
   */
  async run<T>(work: () => Promise<T>): Promise<T> {
    const { refusesForMs } = this;
    if (refusesForMs > 0) throw new CircuitOpenError(refusesForMs);
    return this.policy.execute(work);
  }
}
