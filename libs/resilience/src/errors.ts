/** Failures of the world, sorted by what to do next. An unknown error counts as retryable. */

/** Thrown when the same work may succeed later; nothing is known to be wrong with it. */
export class RetryableError extends Error {
  readonly retryAfterMs?: number;

  constructor(message: string, options: { cause?: unknown; retryAfterMs?: number } = {}) {
    super(message, { cause: options.cause });
    this.name = 'RetryableError';
    this.retryAfterMs = options.retryAfterMs;
  }
}

/** Thrown when a retry of the same work cannot help. */
export class TerminalError extends Error {
  constructor(message: string, options: { cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.name = 'TerminalError';
  }
}
