/** A limit on how long code waits for other work. */
import { RetryableError } from './errors';

/** Thrown when there was no answer in time. The work may have been done, or may be done yet. */
export class TimedOutError extends RetryableError {
  constructor(what: string, timeoutMs: number) {
    super(`${what} took longer than ${Math.round(timeoutMs)} ms`);
    this.name = 'TimeoutError';
  }
}

/** Rejects with a TimedOutError when `work` has not answered within `timeoutMs`; the work itself goes on. */
export async function withTimeout<T>(work: Promise<T>, timeoutMs: number, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const expiry = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new TimedOutError(what, timeoutMs)), timeoutMs);
  });
  try {
    return await Promise.race([work, expiry]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Waits until `work` has ended, in whatever way, but not longer than this. Returns whether it has. For the last moments
 * of a process, when nobody can do anything about a failure any more.
 */
export function endedWithin(work: Promise<unknown>, timeoutMs: number): Promise<boolean> {
  const ended = work.then(
    () => true,
    () => true,
  );
  return withTimeout(ended, timeoutMs, 'the end').catch(() => false);
}
