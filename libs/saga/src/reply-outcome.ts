/** What `decide` is told of a reply. A wait is turned from a time into a stretch from now, because `decide` has no clock. */
import type { Reply } from '@shop/messaging';
import type { SagaEvent } from './saga-state';

type Replied = Extract<SagaEvent, { type: 'replied' }>;
type Outcome<Event extends Replied = Replied> = Event extends Replied
  ? Omit<Event, 'type' | 'from' | 'step' | 'action'>
  : never;

/** Bank transfers take a week. Whoever needs longer is asked in between, and says so. */
export const MAX_WAIT_MS = 8 * 24 * 60 * 60 * 1_000;

export function outcomeOf({ outcome, waiting, reason, inDoubt, result }: Reply, now = Date.now()): Outcome {
  if (outcome !== 'waiting') return { outcome, reason, inDoubt, result };
  const { until, for: whom, action: nextAction } = waiting!;
  const forMs = Date.parse(until) - now;
  // A time that is none, such as a second 60, is over: the participant is asked again.
  return { outcome, waiting: { until, for: whom, forMs: Math.min(Math.max(forMs || 0, 0), MAX_WAIT_MS), nextAction } };
}
