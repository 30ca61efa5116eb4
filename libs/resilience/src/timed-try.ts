/** One try of a call, which ends when its time is over, whether or not its work heeds that. */
import { TaskCancelledError } from 'cockatiel';
import { TimedOutError } from './timeout';

/** What a try has to pass on. */
export interface Try {
  /** Counted from 1. From 2 on, an earlier try may have done the work. */
  number: number;
  /** Aborted when the time is over, or when the caller is not interested any more. */
  signal: AbortSignal;
  /** Until then there has to be an answer. */
  timeoutMs: number;
}

export class TimedTry implements Try {
  private controller?: AbortController;
  private ended?: Error;

  constructor(
    readonly number: number,
    readonly timeoutMs: number,
  ) {}

  /** It is made for work that asks for it. Most work does not, and it costs as much as all else of a try. */
  get signal(): AbortSignal {
    if (!this.controller) {
      this.controller = new AbortController();
      if (this.ended) this.controller.abort(this.ended);
    }
    return this.controller.signal;
  }

  /** @throws TimedOutError, or TaskCancelledError when the caller has cancelled it, or what `work` throws */
  run<T>(work: (attempt: Try) => Promise<T>, caller?: AbortSignal): Promise<T> {
    return new Promise((resolve, reject) => {
      const end = (error: Error) => {
        this.ended = error;
        this.controller?.abort(error);
        settle();
        reject(error);
      };
      const cancel = () => end(new TaskCancelledError());
      const timer = setTimeout(() => end(new TimedOutError('a try', this.timeoutMs)), this.timeoutMs);
      const settle = () => {
        clearTimeout(timer);
        caller?.removeEventListener('abort', cancel);
      };
      caller?.addEventListener('abort', cancel, { once: true });
      work(this).then(resolve, reject).finally(settle);
    });
  }
}
