/** What may become of a saga, by `decide` itself: the steps to come, those to go back over, and the acts. Pure. */
import { decide } from './decide';
import { indexOf, pivotIndex, type SagaDefinition } from './definition';
import { type HoldOf, noHolds } from './hold';
import {
  type Ignored,
  isFinal,
  type OperatorAct,
  operatorActs,
  type OperatorEvent,
  type SagaState,
} from './saga-state';

export interface ActOutlook {
  act: OperatorAct;
  possible: boolean;
  /** Why not. */
  why?: Ignored;
  becomes?: Pick<SagaState, 'status' | 'step' | 'action'> & { sends: boolean; held: boolean };
}

export interface Outlook {
  /** The steps that are not done, the awaited one first. None on the way back. */
  todo: string[];
  /** The steps that are undone on the way back, or would be if the saga turned back now; the next one first. */
  undo: string[];
  acts: ActOutlook[];
}

export function outlookOf(definition: SagaDefinition<never>, state: SagaState, holdOf: HoldOf = noHolds): Outlook {
  const ended = isFinal(state.status);
  const index = indexOf(definition, state.step);
  const isForward = state.action === 'do';
  return {
    todo: ended || !isForward ? [] : definition.steps.slice(index).map(({ name }) => name),
    undo: ended ? [] : undoneFrom(definition, state, index),
    acts: operatorActs.map((act) => outlookOn(definition, state, act, holdOf)),
  };
}

/** From the pivot on only its refusal turns a saga back, and behind the pivot nothing does. */
function undoneFrom(definition: SagaDefinition<never>, state: SagaState, index: number): string[] {
  const pivot = pivotIndex(definition.steps);
  if (state.action === 'do' && index > pivot) return [];
  const isLastUndone = state.action === 'undo' || (index < pivot && !state.held?.unsent);
  return definition.steps
    .slice(0, isLastUndone ? index + 1 : index)
    .reverse()
    .flatMap(({ name, undo }) => (undo ? [name] : []));
}

function outlookOn(definition: SagaDefinition<never>, state: SagaState, act: OperatorAct, holdOf: HoldOf): ActOutlook {
  const event: OperatorEvent = { type: 'operator', act, by: '', reason: '' };
  const decision = decide(definition, state, event, holdOf);
  if ('ignored' in decision) return { act, possible: false, why: decision.ignored };
  const { status, step, action, held } = decision.state;
  const becomes = { status, step, action, sends: decision.send !== undefined, held: held !== undefined };
  return { act, possible: true, becomes };
}
