/**
 * What follows when a person acts on a saga. Pure; part of `decide`.
 *
 * `retry` sends the awaited command again, also while the saga waits. A parked saga continues where it stopped. Its attempts are counted from one
 * again, so it has its whole budget. A saga that is moving sends its next attempt at once. This never ends a budget;
 * only a deadline that passes does. `skip` says that the command of a parked saga counts as done. `cancel` is the wish
 * of a client. Before the pivot it turns the saga round. From the pivot on, it is kept for the end of the saga. A saga
 * without a pivot cannot be cancelled: it has no way back, and nothing would take it back later. `hold` and `resume` stand
 * in `hold.ts`.
 *
 * A retry may bring a corrected body. The command is another one then, with an id of its own, and its participant would
 * carry it out beside the first. So the first must be known to have done nothing: its participant has refused it, and
 * not in doubt. A command that was not answered is sent again as it is.
 */
import { pivotIndex } from './definition';
import { hold, resume } from './hold';
import { back, before, cancel, type Definition, forward, move } from './moves';
import type { Decision, OperatorEvent, SagaState } from './saga-state';

export const CANCELLED_BY_OPERATOR = 'cancelled_by_operator';

const ACT = 'operator.';
/** Whether a line of the history is the act of a person. Its detail names the person, and why. */
export const isActOfOperator = (event: string): boolean => event.startsWith(ACT);

export function onAct(definition: Definition, state: SagaState, acted: OperatorEvent): Decision {
  const { act, by, reason } = acted;
  const event = `${ACT}${act}`;
  const detail = { by, reason };
  switch (acted.act) {
    case 'hold':
      return hold(state, event, { by, reason: acted.reason });
    case 'resume':
      return resume(definition, state, event, detail);
    case 'retry':
      if (acted.corrected) return correct(definition, state, event, acted.corrected, detail);
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

function correct(
  definition: Definition,
  state: SagaState,
  event: string,
  { body, changed }: { body: object; changed: Record<string, unknown> },
  detail: Record<string, unknown>,
): Decision {
  if (state.status !== 'parked') return { ignored: 'not-parked' };
  if (!state.refused) return { ignored: 'outcome-unknown' };
  const revision = (state.correction?.revision ?? 1) + 1;
  const to = { ...sentAgain(state), correction: { revision, body } };
  return move(definition, state, event, state.step, to, { ...detail, revision, corrected: changed });
}

function sentAgain(state: SagaState): SagaState {
  if (state.status !== 'parked') return { ...state, attempt: state.attempt + 1 };
  return { ...state, status: state.action === 'do' ? 'running' : 'compensating', attempt: 1 };
}
