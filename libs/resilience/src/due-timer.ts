/** A job that runs when something is due. It sleeps until then, but not for long, because others make work too. */
import { withoutSpan } from '@shop/observability';

export interface DueTimerOptions {
  /** Does what is due, but only so much, and returns the time in milliseconds until there is more; 0 means: at once. */
  job: () => Promise<number>;
  /** The longest sleep. What another replica has written is found after it. */
  atMostMs: number;
  /** Not called while it is being stopped, because the database may be gone already. */
  onFailure: (error: unknown) => void;
}

/** The clock of the database may be a little behind ours. Without a pause, the job would run again and again. */
const PAUSE_MS = 20;

export class DueTimer {
  private timer?: NodeJS.Timeout;
  private stopped = true;
  private running = false;
  private round: Promise<void> = Promise.resolve();
  /** When the next run is; by the monotonic clock of this process. */
  private at = Infinity;

  constructor(private readonly options: DueTimerOptions) {}

  /** The first run is now. */
  start(): void {
    this.stopped = false;
    this.runAt(performance.now());
  }

  /** Resolves when the current run has ended. */
  async stop(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.timer);
    await this.round;
  }

  /** Something will be due in this time. A run that is earlier is left as it is. */
  expectIn(ms: number): void {
    this.runAt(performance.now() + ms);
  }

  private runAt(at: number): void {
    if (this.stopped || at >= this.at) return;
    this.at = at;
    // While a run goes on, the time is only noted: the run may have looked too early to see what is new.
    if (!this.running) this.schedule();
  }

  private schedule(): void {
    clearTimeout(this.timer);
    const wait = Math.min(this.options.atMostMs, Math.max(0, this.at - performance.now()));
    this.timer = setTimeout(() => this.run(), wait).unref();
  }

  private run(): void {
    this.running = true;
    this.at = Infinity;
    // Who has told of the work is not the cause of all that is due.
    this.round = withoutSpan(() => this.attempt()).then((next) => {
      this.running = false;
      if (this.stopped) return;
      this.at = Math.min(this.at, performance.now() + next);
      this.schedule();
    });
  }

  private async attempt(): Promise<number> {
    try {
      const next = await this.options.job();
      return next === 0 ? 0 : Math.max(PAUSE_MS, next);
    } catch (error) {
      if (!this.stopped) this.options.onFailure(error);
      return this.options.atMostMs;
    }
  }
}
