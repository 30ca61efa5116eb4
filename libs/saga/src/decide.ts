/**
 * What next: the pure heart of the saga engine. No clock, no randomness, no I/O.
 *
 * A saga walks its steps forward (`running`, action `do`). When a step is refused, runs out of time or the saga is
 * cancelled before the pivot was sent, it turns round (`compensating`, action `undo`) and walks back over every step
 * that was sent: a step that was refused did nothing and is left out, a step that was never answered may have happened
 * and is undone. It ends `completed` or `compensated`. When an undo cannot be done it is `parked`, and goes on when the
 * missing reply arrives or an operator acts. From the pivot on it only goes forward: a doubt there is resolved by
 * asking again, for as long as it takes.
 */
import { delayOf } from '@shop/resilience';
import { pivotIndex, type SagaDefinition, type StepDefinition } from './definition';

export type SagaStatus = 'running' | 'compensating' | 'completed' | 'compensated' | 'parked';
export type ActionName = 'do' | 'undo';

export interface SagaState {
  status: SagaStatus;
  /** The step whose reply is awaited; the last one when the saga has ended. */
  step: string;
  action: ActionName;
  /** How often the awaited command has been sent, from 1. */
  attempt: number;
  /** Why the saga turned round, or why it is parked: a stable code. */
  reason?: string;
  /** A wish to cancel that came when the saga could no longer turn round. */
  cancelRequested: boolean;
}

export type SagaEvent =
  | {
      type: 'replied';
      step: string;
      action: ActionName;
      outcome: 'succeeded' | 'refused';
      reason?: string;
      /** Refused without knowing what an earlier delivery of the command did. */
      inDoubt?: boolean;
      result?: Record<string, unknown>;
    }
  | { type: 'deadline-passed'; step: string; action: ActionName; attempt: number }
  | { type: 'cancel-requested'; reason: string };

/** One line of the history: what happened and where it led. */
export interface Transition {
  event: string;
  step: string;
  from: string;
  to: string;
  attempt: number;
  detail?: Record<string, unknown>;
}

export type Decision =
  | {
      state: SagaState;
      transition: Transition;
      /** The command to send, and how long to wait for its reply. */
      send?: { step: string; action: ActionName; attempt: number; deadlineMs: number };
    }
  | { ignored: 'ended' | 'repeated-or-late' | 'foreign' | 'already-compensating' | 'already-requested' };

type Definition = SagaDefinition<never>;

export const isFinal = (status: SagaStatus): boolean => status === 'completed' || status === 'compensated';

/** The first state of a saga and its first command. */
export function start(definition: Definition): Extract<Decision, { state: SagaState }> {
  const first = definition.steps[0]!;
  return move(definition, undefined, 'started', first.name, {
    status: 'running',
    step: first.name,
    action: 'do',
    attempt: 1,
    cancelRequested: false,
  });
}

export function decide(definition: Definition, state: SagaState, event: SagaEvent): Decision {
  if (isFinal(state.status)) return { ignored: 'ended' };
  switch (event.type) {
    case 'replied':
      return onReply(definition, state, event);
    case 'deadline-passed':
      return onDeadline(definition, state, event);
    case 'cancel-requested':
      return onCancel(definition, state, event.reason);
  }
}

function onReply(definition: Definition, state: SagaState, event: Extract<SagaEvent, { type: 'replied' }>): Decision {
  if (indexOf(definition, event.step) < 0) return { ignored: 'foreign' };
  if (event.step !== state.step || event.action !== state.action) return { ignored: 'repeated-or-late' };
  if (state.status === 'parked' && event.outcome === 'refused') return { ignored: 'repeated-or-late' };
  const name = `${event.action}.${event.outcome}`;
  const detail = event.outcome === 'refused' ? { reason: event.reason } : event.result;
  if (event.action === 'undo') {
    return event.outcome === 'succeeded'
      ? back(definition, state, name, before(definition, state.step), state.reason, detail)
      : park(definition, state, name, event.reason ?? 'undo_refused', detail);
  }
  if (event.outcome === 'succeeded') return forward(definition, state, name, detail);
  const reason = event.reason ?? 'refused';
  const index = indexOf(definition, state.step);
  const pivot = pivotIndex(definition.steps);
  // What may have happened all the same is undone like what was never answered.
  if (event.inDoubt && index < pivot)
    return back(definition, state, name, stepOf(definition, state.step), reason, detail);
  // What was refused did nothing. Refused at or before the pivot, the saga turns back; behind it there is no way back.
  return !event.inDoubt && index <= pivot
    ? back(definition, state, name, before(definition, state.step), reason, detail)
    : park(definition, state, name, reason, detail);
}

function onDeadline(
  definition: Definition,
  state: SagaState,
  event: Extract<SagaEvent, { type: 'deadline-passed' }>,
): Decision {
  const current = event.step === state.step && event.action === state.action && event.attempt === state.attempt;
  if (!current || state.status === 'parked') return { ignored: 'repeated-or-late' };
  const { deadline } = stepOf(definition, state.step);
  const budget = state.action === 'do' ? deadline.attempts : deadline.undoAttempts;
  const canTurn = indexOf(definition, state.step) < pivotIndex(definition.steps);
  if (state.attempt < budget || (state.action === 'do' && !canTurn)) {
    return move(definition, state, 'deadline.passed', state.step, { ...state, attempt: state.attempt + 1 });
  }
  return state.action === 'do'
    ? back(definition, state, 'budget.spent', stepOf(definition, state.step), 'timed_out')
    : park(definition, state, 'budget.spent', 'undo_unanswered');
}

function onCancel(definition: Definition, state: SagaState, reason: string): Decision {
  if (state.action === 'undo') return { ignored: 'already-compensating' };
  if (state.cancelRequested) return { ignored: 'already-requested' };
  const inDoubt = stepOf(definition, state.step);
  if (indexOf(definition, state.step) < pivotIndex(definition.steps)) {
    return back(definition, state, 'cancel.requested', inDoubt, reason);
  }
  // The pivot is on its way and may have happened, or the saga is parked behind it; the wish is kept for its end.
  const kept = { ...state, cancelRequested: true };
  const at = positionOf(state);
  return {
    state: kept,
    transition: {
      event: 'cancel.requested',
      step: state.step,
      from: at,
      to: at,
      attempt: state.attempt,
      detail: { reason },
    },
  };
}

function forward(definition: Definition, state: SagaState, event: string, detail?: Record<string, unknown>): Decision {
  const next = definition.steps[indexOf(definition, state.step) + 1];
  const to: SagaState = next
    ? { ...state, status: 'running', step: next.name, attempt: 1 }
    : { ...state, status: 'completed' };
  return move(definition, state, event, state.step, to, detail);
}

/** Goes on with the undo of `target`, or of the nearest step before it that has one. */
function back(
  definition: Definition,
  state: SagaState,
  event: string,
  target: StepDefinition<never> | undefined,
  reason: string | undefined,
  detail?: Record<string, unknown>,
): Decision {
  let undone = target;
  while (undone && !undone.undo) undone = before(definition, undone.name);
  const to: SagaState = undone
    ? { ...state, status: 'compensating', step: undone.name, action: 'undo', attempt: 1, reason }
    : { ...state, status: 'compensated', reason };
  return move(definition, state, event, state.step, to, detail);
}

/** Stops and waits for somebody; the awaited command stays the same, so a late reply still moves the saga. */
function park(
  definition: Definition,
  state: SagaState,
  event: string,
  reason: string,
  detail?: Record<string, unknown>,
): Decision {
  return move(definition, state, event, state.step, { ...state, status: 'parked' }, { ...detail, parked: reason });
}

function move(
  definition: Definition,
  from: SagaState | undefined,
  event: string,
  step: string,
  to: SagaState,
  detail?: Record<string, unknown>,
): Extract<Decision, { state: SagaState }> {
  const transition = {
    event,
    step,
    from: from ? positionOf(from) : 'new',
    to: positionOf(to),
    attempt: from?.attempt ?? to.attempt,
    detail,
  };
  if (to.status !== 'running' && to.status !== 'compensating') return { state: to, transition };
  const { backoff } = stepOf(definition, to.step).deadline;
  const { action, attempt } = to;
  return { state: to, transition, send: { step: to.step, action, attempt, deadlineMs: delayOf(backoff, attempt) } };
}

/** `reserve.do`, `charge.undo`, or the status when nothing is awaited. */
function positionOf(state: SagaState): string {
  return state.status === 'running' || state.status === 'compensating' ? `${state.step}.${state.action}` : state.status;
}

function indexOf(definition: Definition, step: string): number {
  return definition.steps.findIndex((one) => one.name === step);
}

function stepOf(definition: Definition, name: string): StepDefinition<never> {
  const found = definition.steps.find((one) => one.name === name);
  if (!found) throw new Error(`saga ${definition.name} v${definition.version} has no step ${name}`);
  return found;
}

function before(definition: Definition, step: string): StepDefinition<never> | undefined {
  return definition.steps[indexOf(definition, step) - 1];
}
