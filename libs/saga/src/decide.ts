/**
 * Decides the next move: the pure core of the saga engine. No clock, no randomness, no I/O.
 *
 * A saga walks its steps forward (`running`, action `do`). It turns round (`compensating`, action `undo`) when a step
 * is refused, when a step runs out of time, or when it is cancelled before the pivot was sent. Then it walks back over
 * every step that was sent. A step that was refused did nothing and is left out. A step that was never answered may
 * have happened and is undone. The saga ends `completed` or `compensated`.
 * When an undo cannot be done, the saga is `parked`. It goes on when the missing reply arrives or an operator acts.
 * Any command may be answered with `waiting` (see `waits.ts`): the saga then stays where it is, until the time that the
 * participant has named or until it is told that there is news, and sends the same command again.
 * A saga, or a step of a definition, can be held (see `hold.ts`): what would be sent is owed, and sent when the hold ends.
 * From the pivot on, a saga only goes forward. There, it resolves an unknown outcome by asking again, for as long as it
 * takes.
 */
import { indexOf, pivotIndex } from './definition';
import { heldBack, holdAwaited, type HoldOf, noHolds, release } from './hold';
import { back, backOverAwaited, before, budgetOf, cancel, type Definition, forward, move, park } from './moves';
import { onAct } from './operator';
import { type Decided, type Decision, isFinal, type SagaEvent, type SagaState } from './saga-state';
import { onHint, wait } from './waits';

/** The first state of a saga and its first command. */
export function start(definition: Definition, holdOf: HoldOf = noHolds): Decided {
  const first = definition.steps[0]!;
  const decided = move(definition, undefined, 'started', first.name, {
    status: 'running',
    step: first.name,
    action: 'do',
    attempt: 1,
    cancelRequested: false,
  });
  return heldBack(undefined, decided, holdOf);
}

/** `holdOf` tells whether, and by whom, a step is held. */
export function decide(definition: Definition, state: SagaState, event: SagaEvent, holdOf: HoldOf = noHolds): Decision {
  if (isFinal(state.status)) return { ignored: 'ended' };
  if (event.type === 'released') return release(definition, state, holdOf);
  const decision = decideUnheld(definition, state, event, holdOf);
  if ('ignored' in decision) return decision;
  // Whoever lets one saga of a held step go wants to see what becomes of it.
  const passes = event.type === 'operator' && event.act === 'resume' && state.held?.step;
  return passes ? decision : heldBack(state, decision, holdOf, event);
}

function decideUnheld(
  definition: Definition,
  state: SagaState,
  event: Exclude<SagaEvent, { type: 'released' }>,
  holdOf: HoldOf,
): Decision {
  switch (event.type) {
    case 'replied':
      return onReply(definition, state, event);
    case 'deadline-passed':
      return onDeadline(definition, state, event, holdOf);
    case 'cancel-requested':
      return cancel(definition, state, 'cancel.requested', event.reason);
    case 'hinted':
      return onHint(definition, state, event.step);
    case 'operator':
      return onAct(definition, state, event);
  }
}

function onReply(definition: Definition, state: SagaState, event: Extract<SagaEvent, { type: 'replied' }>): Decision {
  if (indexOf(definition, event.step) < 0) return { ignored: 'foreign' };
  if (event.step !== state.step || event.action !== state.action) return { ignored: 'repeated-or-late' };
  // An operator has corrected the command since, which was refused then, and nothing else.
  if ((event.revision ?? 1) !== (state.correction?.revision ?? 1)) return { ignored: 'repeated-or-late' };
  if (state.status === 'parked' && event.outcome !== 'succeeded') return { ignored: 'repeated-or-late' };
  if (event.outcome === 'waiting') return wait(definition, state, event);
  const name = `${event.action}.${event.outcome}`;
  const detail = event.outcome === 'refused' ? { reason: event.reason } : event.result;
  const parking = { detail, refused: event.inDoubt ? undefined : (true as const) };
  if (event.action === 'undo') {
    return event.outcome === 'succeeded'
      ? back(definition, state, name, before(definition, state.step), state.reason, detail)
      : park(definition, state, name, event.reason ?? 'undo_refused', parking);
  }
  if (event.outcome === 'succeeded') return forward(definition, state, name, detail);
  const reason = event.reason ?? 'refused';
  const index = indexOf(definition, state.step);
  const pivot = pivotIndex(definition.steps);
  // A refusal with an unknown outcome may have had its effect. It is undone like a step that was never answered.
  if (event.inDoubt && index < pivot) return backOverAwaited(definition, state, name, reason, detail);
  // A refused step did nothing. At or before the pivot, the saga turns back. After the pivot, there is no way back.
  return !event.inDoubt && index <= pivot
    ? back(definition, state, name, before(definition, state.step), reason, detail)
    : park(definition, state, name, reason, parking);
}

function onDeadline(
  definition: Definition,
  state: SagaState,
  event: Extract<SagaEvent, { type: 'deadline-passed' }>,
  holdOf: HoldOf,
): Decision {
  const current = event.step === state.step && event.action === state.action && event.attempt === state.attempt;
  if (!current || state.status === 'parked') return { ignored: 'repeated-or-late' };
  if (state.held) return { ignored: 'held' };
  const hold = state.action === 'do' ? holdOf(state.step) : undefined;
  if (hold) return holdAwaited(state, hold);
  const canTurn = indexOf(definition, state.step) < pivotIndex(definition.steps);
  if (state.attempt < budgetOf(definition, state) || (state.action === 'do' && !canTurn)) {
    return move(definition, state, 'deadline.passed', state.step, { ...state, attempt: state.attempt + 1 });
  }
  return state.action === 'do'
    ? backOverAwaited(definition, state, 'budget.spent', 'timed_out')
    : park(definition, state, 'budget.spent', 'undo_unanswered');
}
