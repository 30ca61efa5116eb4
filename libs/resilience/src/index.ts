export { type Backoff, delayOf } from './backoff';
export { isRetryable, RetryableError, TerminalError } from './errors';
export { Repeating } from './repeating';
export { withTimeout } from './timeout';
