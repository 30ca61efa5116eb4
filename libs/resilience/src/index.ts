export { type Backoff, delayOf } from './backoff';
export { RetryableError, TerminalError } from './errors';
export { Repeating } from './repeating';
export { endedWithin, withTimeout } from './timeout';
