/**
 * What follows when a person takes a hand in a saga. Pure; part of `decide`.
 *
 * `retry` sends the awaited command again: a parked saga goes on where it stopped, counting its attempts from one, so
 * that it has its whole budget again; one that is on its way sends the next attempt at once, which never ends a budget:
 * only a deadline that passes does. `skip` says that the command a parked saga waits for is done, by hand or as good as.
 * `cancel` is the wish of a client: before the pivot it turns the saga round, from there on it is kept for its end. A
 * saga without a pivot has no way back and nothing that would take it back, so there is no cancelling it.
 */
import { pivotIndex } from './definition';
import { back, before, cancel, type Definition, forward, move } from './moves';
import type { Decision, OperatorEvent, SagaState } from './saga-state';

export const CANCELLED_BY_OPERATOR = 'cancelled_by_operator';

export function onAct(definition: Definition, state: SagaState, { act, by, reason }: OperatorEvent): Decision {
  const event = `operator.${act}`;
  const detail = { by, reason };
  switch (act) {
    case 'retry':
      return move(definition, state, event, state.step, sentAgain(state), detail);
    case 'skip':
      if (state.status !== 'parked') return { ignored: 'not-parked' };
      return state.action === 'do'
        ? forward(definition, state, event, detail)
        : back(definition, state, event, before(definition, state.step), state.reason, detail);
    case 'cancel':
      if (pivotIndex(definition.steps) < 0) return { ignored: 'never-turns-back' };
      return cancel(definition, state, event, CANCELLED_BY_OPERATOR, detail);
  }
}

function sentAgain(state: SagaState): SagaState {
  if (state.status !== 'parked') return { ...state, attempt: state.attempt + 1 };
  return { ...state, status: state.action === 'do' ? 'running' : 'compensating', attempt: 1 };
}
