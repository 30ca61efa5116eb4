export { Bulkhead, NoTurnError } from './bulkhead';
export { type Backoff, delayOf } from './backoff';
export { RetryableError, TerminalError } from './errors';
export { FairQueue } from './fair-queue';
export { Repeating } from './repeating';
export { endedWithin, withTimeout } from './timeout';
