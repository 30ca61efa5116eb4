/**
 * Steps whose command leaves early: when the step before them is known to have succeeded, and before that is written.
 *
 * The row may then stand one step behind what was sent. Whoever finds it so, after a crash or on another replica, must come
 * to the same end. Two rules see to that: to turn back means to undo the early step as well, and its reply proves that the step
 * before it has succeeded. This file is both of them, and what has to be known before anything leaves so. Pure.
 */
import { delayOf } from '@shop/resilience';
import { indexOf, type SagaDefinition, type StepDefinition, stepOf } from './definition';
import type { SagaEvent, SagaState } from './saga-state';

/** The step whose do may have left although the saga still awaits the one before it. */
export function earlyStepBehind(definition: SagaDefinition<never>, step: string): StepDefinition<never> | undefined {
  const next = definition.steps[indexOf(definition, step) + 1];
  return next?.early ? next : undefined;
}

/**
 * Whether what a replica remembers of a saga is enough to send by: it was asked for once, and its deadline has not passed.
 * Behind that, others may have brought it to its end long ago; and what is asked again takes the way on which failures are
 * counted, so its reply is written before anybody takes it for done.
 */
export function isAwaitedFirst(
  definition: SagaDefinition<never>,
  { state, updatedAt }: { state: SagaState; updatedAt: Date },
  now: Date,
): boolean {
  const { deadline } = stepOf(definition, state.step);
  return state.attempt === 1 && now.getTime() - updatedAt.getTime() < delayOf(deadline.backoff, 1);
}

/** What must have happened, though it was never written, because the early step has been answered. */
export function impliedBy(
  definition: SagaDefinition<never>,
  { status, step, action }: SagaState,
  event: SagaEvent,
): SagaEvent | undefined {
  if (status !== 'running' || action !== 'do' || event.type !== 'replied' || event.action !== 'do') return undefined;
  if (earlyStepBehind(definition, step)?.name !== event.step) return undefined;
  return { type: 'replied', step, action, outcome: 'succeeded' };
}
