/**
 * Who may run beside whom: some work together, others each by itself, in the order in which they came. What runs by
 * itself is the only one to blame if the process ends.
 */
export class Turns {
  /** Settles when everybody who came to be alone has been. */
  private alone: Promise<unknown> = Promise.resolve();
  private readonly together = new Set<Promise<unknown>>();

  /** Runs when those who came earlier to be alone have been. */
  runTogether<T>(work: () => Promise<T>): Promise<T> {
    const run = this.alone.then(work);
    const over = run.then(ignore, ignore);
    this.together.add(over);
    void over.then(() => this.together.delete(over));
    return run;
  }

  /** Runs when everybody who came earlier has ended; who comes later waits. */
  runAlone<T>(work: () => Promise<T>): Promise<T> {
    const run = Promise.all([this.alone, ...this.together]).then(work);
    this.alone = run.then(ignore, ignore);
    return run;
  }
}

const ignore = (): void => undefined;
