/** The ways in which a saga can move. `decide.ts` and `operator.ts` choose one of them after each event. Pure. */
import { delayOf } from '@shop/resilience';
import { indexOf, pivotIndex, type SagaDefinition, type StepDefinition, stepOf } from './definition';
import { type Decided, type Decision, isUnderWay, type SagaState } from './saga-state';

export type Definition = SagaDefinition<never>;
type Detail = Record<string, unknown>;

/** Moves on after the awaited step is done. */
export function forward(definition: Definition, state: SagaState, event: string, detail?: Detail): Decided {
  const next = definition.steps[indexOf(definition, state.step) + 1];
  const to: SagaState = next
    ? { ...state, status: 'running', step: next.name, attempt: 1 }
    : { ...state, status: 'completed' };
  return move(definition, state, event, state.step, to, detail);
}

/** Continues with the undo of `target`, or of the nearest step before it that has one. */
export function back(
  definition: Definition,
  state: SagaState,
  event: string,
  target: StepDefinition<never> | undefined,
  reason: string | undefined,
  detail?: Detail,
): Decided {
  let undone = target;
  while (undone && !undone.undo) undone = before(definition, undone.name);
  const to: SagaState = undone
    ? { ...state, status: 'compensating', step: undone.name, action: 'undo', attempt: 1, reason }
    : { ...state, status: 'compensated', reason };
  return move(definition, state, event, state.step, to, detail);
}

/** Goes back over the awaited step too, because it was sent and may have happened. */
export function backOverAwaited(
  definition: Definition,
  state: SagaState,
  event: string,
  reason: string,
  detail?: Detail,
): Decided {
  return back(definition, state, event, stepOf(definition, state.step), reason, detail);
}

/** Stops and waits for somebody. The awaited command stays the same, so a late reply still moves the saga. */
export function park(
  definition: Definition,
  state: SagaState,
  event: string,
  reason: string,
  detail?: Detail,
): Decided {
  return move(definition, state, event, state.step, { ...state, status: 'parked' }, { ...detail, parked: reason });
}

/**
 * Turns round while that is possible. From the pivot on, the wish is kept for the end of the saga, because the awaited
 * step may have happened, or the saga is parked after the pivot.
 */
export function cancel(
  definition: Definition,
  state: SagaState,
  event: string,
  reason: string,
  detail?: Detail,
): Decision {
  if (state.action === 'undo') return { ignored: 'already-compensating' };
  if (state.cancelRequested) return { ignored: 'already-requested' };
  if (indexOf(definition, state.step) < pivotIndex(definition.steps)) {
    return backOverAwaited(definition, state, event, reason, detail);
  }
  return stay(state, event, { ...state, cancelRequested: true, reason }, detail ?? { reason });
}

/** Something is known that was not known before, and the same command is awaited. */
export function stay(from: SagaState, event: string, to: SagaState, detail?: Detail): Decided {
  const at = positionOf(from);
  const transition = { event, step: from.step, from: at, to: at, attempt: from.attempt, detail };
  return { state: to, transition };
}

/**
 * The new position of a saga. If the saga is still moving, its command is sent, and with that it waits no longer: the
 * reply will be newer than what was known before.
 */
export function move(
  definition: Definition,
  from: SagaState | undefined,
  event: string,
  step: string,
  { waiting, hinted, ...to }: SagaState,
  detail?: Detail,
): Decided {
  const transition = {
    event,
    step,
    from: from ? positionOf(from) : 'new',
    to: positionOf(to),
    attempt: from?.attempt ?? to.attempt,
    detail,
  };
  if (!isUnderWay(to)) return { state: to, transition };
  const { backoff } = stepOf(definition, to.step).deadline;
  const { action, attempt } = to;
  return { state: to, transition, send: { step: to.step, action, attempt, deadlineMs: delayOf(backoff, attempt) } };
}

/** `reserve.do`, `charge.undo`, or the status when nothing is awaited. */
function positionOf(state: SagaState): string {
  return isUnderWay(state) ? `${state.step}.${state.action}` : state.status;
}

/** How often the awaited command is sent before the saga does something else, if it may. */
export function budgetOf(definition: Definition, { step, action }: SagaState): number {
  const { attempts, undoAttempts } = stepOf(definition, step).deadline;
  return action === 'do' ? attempts : undoAttempts;
}

export function before(definition: Definition, step: string): StepDefinition<never> | undefined {
  return definition.steps[indexOf(definition, step) - 1];
}
