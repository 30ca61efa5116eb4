export { type Backoff, delayOf } from './backoff';
export { isRetryable, RetryableError, TerminalError } from './errors';
export { withTimeout } from './timeout';
