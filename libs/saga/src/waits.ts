/**
 * A reply that says `waiting`: neither done nor refused, because the customer or somebody behind the participant has to
 * act first. Pure; part of `decide`.
 *
 * The saga stays at its step, with attempt 0 and a deadline at the time that the participant has named
 * (`saga.repository.ts` sets it, by the clock of the database). When it passes,
 * or when there is news before, the same command is sent as if for the first time. So a participant that has fallen
 * silent meanwhile is treated like any other. Nobody but the participant ends a wait for good: it decides, or says until
 * when to wait once more.
 *
 * The news and the reply take different ways. If the news is here first, it is kept, and the reply behind it makes the
 * saga ask again instead of waiting: the news may be of what happened after the reply.
 */
import { indexOf } from './definition';
import { type Definition, move, stay } from './moves';
import { type Decision, isUnderWay, type SagaEvent, type SagaState } from './saga-state';

type WaitingReply = Extract<SagaEvent, { outcome: 'waiting' }>;

/** @param state of a saga that awaits this reply and is not parked */
export function wait(definition: Definition, state: SagaState, { action, waiting }: WaitingReply): Decision {
  const { until, for: whom } = waiting;
  const event = `${action}.waiting`;
  const detail = { until, for: whom };
  if (state.waiting?.until === until && state.waiting.for === whom) return { ignored: 'repeated-or-late' };
  if (state.hinted) return move(definition, state, event, state.step, { ...state, attempt: 1 }, detail);
  const to = { ...state, attempt: 0, waiting: { until, for: whom } };
  return stay(state, event, to, detail);
}

/** The second hint tells nothing new. */
export function onHint(definition: Definition, state: SagaState, step: string): Decision {
  if (indexOf(definition, step) < 0) return { ignored: 'foreign' };
  if (step !== state.step || !isUnderWay(state) || state.hinted) return { ignored: 'repeated-or-late' };
  return state.waiting
    ? move(definition, state, 'hinted', step, { ...state, attempt: 1 })
    : stay(state, 'hinted', { ...state, hinted: true });
}
