/** A bulkhead: so many calls at once, so that what is slow outside takes only a part of this process. */
import { RetryableError } from './errors';
import { FairQueue } from './fair-queue';

export interface BulkheadOptions {
  /** The most calls at once. */
  calls: number;
  /** The most callers of one turn that wait. */
  maxWaiting: number;
}

export interface TurnOptions {
  /** Whose call it is, such as the tenant's. Those who wait are served in turn. */
  turn: string;
  /** The longest wait for a turn. */
  maxWaitMs: number;
  /** Who is not interested any more leaves the queue, and gets the reason of the signal. */
  signal?: AbortSignal;
}

/** Thrown when a caller got no turn. Nothing was called. */
export class NoTurnError extends RetryableError {
  /** @param isFull too many of the same turn wait already; otherwise the wait was too long */
  constructor(
    message: string,
    readonly isFull: boolean,
  ) {
    super(message);
    this.name = 'NoTurnError';
  }
}

export class Bulkhead {
  /** Each takes the place that has become free, unless it has left meanwhile. */
  private readonly waiting = new FairQueue<() => boolean>();
  private calling = 0;

  constructor(private readonly options: BulkheadOptions) {}

  /** @throws NoTurnError */
  async run<T>(work: () => Promise<T>, turn: TurnOptions): Promise<T> {
    await this.enter(turn);
    try {
      return await work();
    } finally {
      this.leave();
    }
  }

  /**
   * Resolves when the caller has its turn. Each turn ends with one call of `leave`.
   * @throws NoTurnError
   */
  enter(options: TurnOptions): Promise<void> {
    if (this.calling >= this.options.calls) return this.wait(options);
    this.calling++;
    return Promise.resolve();
  }

  leave(): void {
    for (let next = this.waiting.take(); next; next = this.waiting.take()) if (next()) return;
    this.calling--;
  }

  private wait({ turn, maxWaitMs, signal }: TurnOptions): Promise<void> {
    if (this.waiting.sizeOf(turn) >= this.options.maxWaiting)
      return Promise.reject(new NoTurnError('too many calls wait', true));
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason as Error);
      let waits = true;
      const stop = () => {
        waits = false;
        clearTimeout(timer);
        signal?.removeEventListener('abort', abort);
      };
      const leave = () => {
        stop();
        reject(new NoTurnError(`no turn for a call came within ${Math.round(maxWaitMs)} ms`, false));
      };
      const abort = () => {
        stop();
        reject(signal!.reason as Error);
      };
      const timer = setTimeout(leave, maxWaitMs).unref();
      signal?.addEventListener('abort', abort);
      this.waiting.push(turn, () => {
        const waited = waits;
        stop();
        resolve();
        return waited;
      });
    });
  }
}
