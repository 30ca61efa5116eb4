/** A background job that runs again and again, one run at a time, until it is stopped. */
import { withoutSpan } from '@shop/observability';

export interface RepeatingOptions {
  /** From the end of one run to the beginning of the next. */
  everyMs: number;
  /** Not called for failures while it is being stopped, because its servers may be gone already. */
  onFailure: (error: unknown) => void;
}

export class Repeating {
  private timer?: NodeJS.Timeout;
  private stopped = false;
  private round: Promise<void> = Promise.resolve();

  constructor(
    private readonly job: () => Promise<unknown>,
    private readonly options: RepeatingOptions,
  ) {}

  /** The first run is now, or `everyMs` from now. */
  start({ now = true }: { now?: boolean } = {}): void {
    if (now) this.run();
    else this.schedule();
  }

  /** Resolves when the current run has ended. */
  async stop(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.timer);
    await this.round;
  }

  private schedule(): void {
    if (!this.stopped) this.timer = setTimeout(() => this.run(), this.options.everyMs).unref();
  }

  private run(): void {
    // Who starts it is not the cause of its runs.
    this.round = withoutSpan(() => this.attempt().then(() => this.schedule()));
  }

  private async attempt(): Promise<void> {
    try {
      await this.job();
    } catch (error) {
      if (!this.stopped) this.options.onFailure(error);
    }
  }
}
