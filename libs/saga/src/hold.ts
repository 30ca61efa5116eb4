/**
 * Holds: a person wants that a saga, or every saga at one step of a definition, sends nothing for a while. Pure; part of
 * `decide`.
 *
 * A held saga goes on deciding. Replies, news and wishes count as ever, but what it would send is owed: `attempt` stays at
 * what was really sent, and the command leaves when the hold ends. Its deadline stands still meanwhile (see
 * `saga.repository.ts`).
 *
 * - The hold of a saga (`operator.hold`) holds back everything, also on its way back, until `operator.resume`.
 * - The hold of a step holds back its do only. A saga that would send it, or send it again, stops there. It goes on when
 *   the step is released, or leaves the step: on a reply that was on its way, or back, when it is cancelled. Whoever
 *   resumes one such saga lets its command pass, to see what becomes of it.
 */
import { type Definition, move, stay } from './moves';
import {
  type Decided,
  type Decision,
  type Hold,
  isFinal,
  isUnderWay,
  type SagaEvent,
  type SagaState,
} from './saga-state';

type Holder = Pick<Hold, 'by' | 'reason'>;

/** Who holds this step of the saga's definition; undefined for nobody. */
export type HoldOf = (step: string) => Holder | undefined;

export const noHolds: HoldOf = () => undefined;

/** What is left of a decision when the saga or its step is held. */
export function heldBack(from: SagaState | undefined, decided: Decided, holdOf: HoldOf, event?: SagaEvent): Decided {
  // Nothing of this concerns a saga that is not held, and whose step is not.
  if (!decided.state.held && !(decided.send && holdOf(decided.send.step))) return decided;
  const { held: asked, ...state } = decided.state;
  const { send, transition } = decided;
  if (isFinal(state.status)) return { state, transition };
  const isActOnHold = event?.type === 'operator' && (event.act === 'hold' || event.act === 'resume');
  const held = isActOnHold && !send ? asked : holdAfter(from, decided, holdOf);
  if (!held) return send ? { state, transition, send } : { state, transition };
  return { state: { ...state, held, ...(send && { attempt: state.attempt - 1 }) }, transition };
}

function holdAfter(from: SagaState | undefined, { state, send }: Decided, holdOf: HoldOf): Hold | undefined {
  const before = state.held;
  const isSame = from !== undefined && from.step === state.step && from.action === state.action;
  const owed = {
    owes: true as const,
    ...((!isSame || from.held?.unsent) && { unsent: true as const }),
  };
  if (before && !before.step) {
    const { by, reason, since } = before;
    const hold = { by, reason, since };
    if (send) return { ...hold, ...owed };
    return isSame && isUnderWay(state) && !state.waiting ? before : hold;
  }
  if (send) {
    const holder = send.action === 'do' ? holdOf(send.step) : undefined;
    return holder && { ...holder, ...(isSame && before && { since: before.since }), step: true, ...owed };
  }
  return isSame && isUnderWay(state) && !state.waiting ? before : undefined;
}

/** The awaited command was sent, and its deadline has passed while its step is held. It is sent again at the release. */
export function holdAwaited({ waiting, hinted, ...state }: SagaState, { by, reason }: Holder): Decided {
  return stay(state, 'deadline.held', { ...state, held: { by, reason, step: true, owes: true } });
}

/** @param event what the history calls it */
export function hold(state: SagaState, event: string, { by, reason }: Holder): Decision {
  if (state.held && !state.held.step) return { ignored: 'already-held' };
  const { owes, unsent } = state.held ?? {};
  const held: Hold = { by, reason, ...(owes && { owes }), ...(unsent && { unsent }) };
  return stay(state, event, { ...state, held }, { by, reason });
}

/** Sends what is owed. Otherwise the reply is awaited for as long as was left of its deadline. */
export function resume(
  definition: Definition,
  { held, ...state }: SagaState,
  event: string,
  detail: Record<string, unknown>,
): Decision {
  if (!held) return { ignored: 'not-held' };
  return held.owes ? sendOwed(definition, state, event, detail) : stay(state, event, state, detail);
}

export function release(definition: Definition, { held, ...state }: SagaState, holdOf: HoldOf): Decision {
  if (!held?.step) return { ignored: 'not-held' };
  return holdOf(state.step) ? { ignored: 'held' } : sendOwed(definition, state, 'hold.released');
}

function sendOwed(definition: Definition, state: SagaState, event: string, detail?: Record<string, unknown>): Decided {
  return move(definition, state, event, state.step, { ...state, attempt: state.attempt + 1 }, detail);
}
