export { type Backoff, delayOf } from './backoff';
export { isRetryable, RetryableError, TerminalError } from './errors';
export { preferredWaitMs } from './prefer';
export { Recent } from './recent';
export { Repeating } from './repeating';
export { withTimeout } from './timeout';
