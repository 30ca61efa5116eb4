/**
 * Decides which work may run at the same time: some runs together, some alone, in the order in which it came. If the
 * process ends while something runs alone, nothing else can be the cause.
 */
export class Turns {
  /** Settles when all work that had to run alone has ended. */
  private alone: Promise<unknown> = Promise.resolve();
  private readonly together = new Set<Promise<unknown>>();

  /** Runs when all earlier work that had to run alone has ended. */
  runTogether<T>(work: () => Promise<T>): Promise<T> {
    const run = this.alone.then(work);
    const over = run.then(ignore, ignore);
    this.together.add(over);
    void over.then(() => this.together.delete(over));
    return run;
  }

  /** Runs when all earlier work has ended; later work waits for it. */
  runAlone<T>(work: () => Promise<T>): Promise<T> {
    const run = Promise.all([this.alone, ...this.together]).then(work);
    this.alone = run.then(ignore, ignore);
    return run;
  }
}

const ignore = (): void => undefined;
