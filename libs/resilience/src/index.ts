export { type Backoff, delayOf } from './backoff';
export { RetryableError, TerminalError } from './errors';
export { Repeating } from './repeating';
export { withTimeout } from './timeout';
