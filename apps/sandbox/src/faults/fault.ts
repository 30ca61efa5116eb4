/** The ways in which an outside service can fail a caller. */

/**
 * `reset`, `rate_limited` and `error` come before the charge, which then does not happen. `answer_lost` (the connection
 * is closed at once) and `never_answered` (it is held open) come after it: the charge happens, and its answer is lost.
 */
export type Fault = 'reset' | 'rate_limited' | 'error' | 'answer_lost' | 'never_answered';
