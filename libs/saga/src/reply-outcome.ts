/** What `decide` is told of a reply. The time of a wait is made one that the database can read. Pure. */
import type { Reply } from '@shop/messaging';
import type { SagaEvent } from './saga-state';

type Replied = Extract<SagaEvent, { type: 'replied' }>;
type Outcome<Event extends Replied = Replied> = Event extends Replied
  ? Omit<Event, 'type' | 'from' | 'step' | 'action' | 'revision'>
  : never;

export function outcomeOf({ outcome, waiting, reason, inDoubt, result }: Reply): Outcome {
  if (outcome !== 'waiting') return { outcome, reason, inDoubt, result };
  const { until, for: whom, action: nextAction } = waiting!;
  return { outcome, waiting: { until: utcOf(until), for: whom, nextAction } };
}

/** A time that is none, such as a second 60, is over: the participant is asked again. */
const utcOf = (time: string): string => new Date(Math.max(Date.parse(time) || 0, 0)).toISOString();
