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
    ? { ...uncorrected(state), status: 'running', step: next.name, attempt: 1 }
    : { ...uncorrected(state), status: 'completed' };
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
    ? { ...uncorrected(state), status: 'compensating', step: undone.name, action: 'undo', attempt: 1, reason }
    : { ...uncorrected(state), status: 'compensated', reason };
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

/**
 * Stops and waits for somebody. The awaited command stays the same, so a late reply still moves the saga. `refused`: the
 * participant is sure that it did nothing.
 */
export function park(
  definition: Definition,
  state: SagaState,
  event: string,
  reason: string,
  { detail, refused }: { detail?: Detail; refused?: true } = {},
): Decided {
  const to: SagaState = { ...state, status: 'parked' };
  return move(definition, state, event, state.step, refused ? { ...to, refused } : to, { ...detail, parked: reason });
}

/** A correction is of one command, and the next one is another. Its body may contain secrets, and is gone with it. */
function uncorrected({ correction, ...state }: SagaState): SagaState {
  return state;
}

/**
 * Turns round while that is possible. From the pivot on, the wish is kept for the end of the saga, because the awaited
 * step may have happened, or the saga is parked after the pivot. A step that a hold has never let out did not happen,
 * the pivot included.
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
  const index = indexOf(definition, state.step);
  const pivot = pivotIndex(definition.steps);
  if (state.held?.unsent && index <= pivot) {
    return back(definition, state, event, before(definition, state.step), reason, detail);
  }
  if (index < pivot) {
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
  { waiting, hinted, refused, ...next }: SagaState,
  detail?: Detail,
): Decided {
  const to: SagaState = refused && next.status === 'parked' ? { ...next, refused } : next;
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
