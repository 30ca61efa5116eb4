import { Repeating } from './repeating';

describe('Repeating', () => {
  beforeEach(() => void jest.useFakeTimers());
  afterEach(() => void jest.useRealTimers());

  it('runs at once or later, one run at a time, continues after a failure, and stops after the current run', async () => {
    const failures: unknown[] = [];
    let end: () => void = () => undefined;
    const job = jest.fn(
      () => new Promise<void>((resolve, reject) => (end = job.mock.calls.length === 1 ? reject : resolve)),
    );
    const repeating = new Repeating(job, { everyMs: 100, onFailure: (error) => failures.push(error) });
    repeating.start({ now: false });
    expect(job).toHaveBeenCalledTimes(0);
    await jest.advanceTimersByTimeAsync(1_000);
    expect(job).toHaveBeenCalledTimes(1);
    end();
    await jest.advanceTimersByTimeAsync(100);
    expect([job.mock.calls.length, failures.length]).toEqual([2, 1]);
    let stopped = false;
    const stopping = repeating.stop().then(() => (stopped = true));
    await jest.advanceTimersByTimeAsync(1_000);
    expect(stopped).toBe(false);
    end();
    await stopping;
    await jest.advanceTimersByTimeAsync(1_000);
    expect(job).toHaveBeenCalledTimes(2);
  });
});
