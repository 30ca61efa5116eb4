export { type Backoff, delayOf } from './backoff';
export { isRetryable, RetryableError, TerminalError } from './errors';
export { preferredWaitMs } from './prefer';
export { withTimeout } from './timeout';
