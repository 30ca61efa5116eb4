/**
 * How many retries may be made, so that they do not multiply the load on what is down already. A token bucket.
 *
 * A fresh call puts a tenth of a retry into the bucket, and a retry takes a whole one out. So retries are at most 10 % of
 * the fresh calls. In a quiet process there would never be one. So the bucket lends: 10 retries at the start, later one
 * every 10 seconds while it holds fewer than 10. The next fresh calls pay for what was lent, before they save anything. So
 * never more than 10 retries go beyond the 10 %.
 */

export interface RetryBudgetOptions {
  /** A bucket behind this one, for the whole process. A retry needs a token of both. */
  whole?: RetryBudget;
  /** Milliseconds of a clock that is never set. */
  now?: () => number;
}

/** In tenths of a retry, so that sums are exact. */
const RETRY = 10;
const SAVED_BY_CALL = 1;
const MAX_LENT = 10 * RETRY;
/** Good hours do not save for a storm. */
const MAX_TOKENS = 100 * RETRY;
const LEND_EVERY_MS = 10_000;

export class RetryBudget {
  private tokens = MAX_LENT;
  private owed = MAX_LENT;
  private lentAt: number;
  private readonly now: () => number;

  constructor(private readonly options: RetryBudgetOptions = {}) {
    this.now = options.now ?? (() => performance.now());
    this.lentAt = this.now();
  }

  /** To be told of every call that is made for the first time. */
  addCall(): void {
    if (this.owed >= SAVED_BY_CALL) this.owed -= SAVED_BY_CALL;
    else this.tokens = Math.min(MAX_TOKENS, this.tokens + SAVED_BY_CALL);
    this.options.whole?.addCall();
  }

  /** Whether a retry may be made. Then its token is taken. */
  takeRetry(): boolean {
    this.lend();
    if (this.tokens < RETRY) return false;
    if (this.options.whole && !this.options.whole.takeRetry()) return false;
    this.tokens -= RETRY;
    return true;
  }

  private lend(): void {
    const due = Math.floor((this.now() - this.lentAt) / LEND_EVERY_MS);
    if (due < 1) return;
    this.lentAt += due * LEND_EVERY_MS;
    const lent = Math.max(0, Math.min(due * RETRY, MAX_LENT - this.owed, MAX_LENT - this.tokens));
    this.tokens += lent;
    this.owed += lent;
  }
}

/** Shared by all dependencies of this process. */
export const processRetryBudget = new RetryBudget();
