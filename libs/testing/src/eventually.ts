// Waits until an assertion holds, by trying it again and again, so that no test needs a fixed sleep.
import { setTimeout as sleep } from 'node:timers/promises';

const TIMEOUT_MS = 10_000;
const INTERVAL_MS = 25;

export interface EventuallyOptions {
  timeoutMs?: number;
  intervalMs?: number;
}

/** Returns the result of `assertion` as soon as it no longer throws; after `timeoutMs` throws its last error. */
export async function eventually<T>(assertion: () => Promise<T> | T, options: EventuallyOptions = {}): Promise<T> {
  const { timeoutMs = TIMEOUT_MS, intervalMs = INTERVAL_MS } = options;
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    try {
      return await assertion();
    } catch (error) {
      if (performance.now() >= deadline) throw error;
    }
    await sleep(intervalMs);
  }
}
