/** What is measured of each move of a saga. */
import { counter, FewValues, histogram } from '@shop/observability';
import type { SagaChange } from './decide-batch';
import { isFinal } from './saga-state';

const STEP_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60];
/** Some wait for a customer or a bank for days. */
const SAGA_SECONDS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60, 300, 3_600, 86_400];
/** Reasons are codes in our own services. A mistake there must not make a line for each saga here. */
const MAX_REASONS = 50;

const transitions = counter('saga_transitions_total', 'Transitions by saga and event', ['saga', 'event', 'to']);
const stepSeconds = histogram(
  'saga_step_duration_seconds',
  'Time from command to reply',
  ['saga', 'step'],
  STEP_SECONDS,
);
const ended = counter('saga_ended_total', 'Sagas that have ended, by how and why', ['saga', 'status', 'reason']);
const sagaSeconds = histogram(
  'saga_duration_seconds',
  'Time from the beginning of a saga to its end',
  ['saga', 'status'],
  SAGA_SECONDS,
);
const reasons = new FewValues(MAX_REASONS);

export function measureMove({ saga, transition, durationMs }: SagaChange): void {
  const { definition, state } = saga;
  const { event, from, to, step } = transition;
  transitions.inc({ saga: definition, event, to });
  if (from.endsWith('.do') && event.startsWith('do.')) {
    stepSeconds.observe({ saga: definition, step }, durationMs / 1_000);
  }
  if (!isFinal(state.status) || from === to) return;
  const { status, reason } = state;
  ended.inc({ saga: definition, status, reason: reason ? reasons.of(reason) : 'none' });
  sagaSeconds.observe({ saga: definition, status }, (saga.movedAtMs - saga.beganAtMs) / 1_000);
}
