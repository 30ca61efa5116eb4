import { isDeepStrictEqual } from 'node:util';
import { awaits, indexOf, pivotOf } from '../testing/exploration';
import {
  awaitedIn,
  breaking,
  edges,
  events,
  type HeldEdge,
  type HeldWorld,
  holdOfWorld,
  isHeldAlone,
  isHeldWithStep,
  isMoving,
  moves,
} from '../testing/held-exploration';
import { decide } from './decide';
import { isFinal, isUnderWay, type OperatorAct, type SagaState } from './saga-state';

const sendOf = ({ decision }: HeldEdge) => ('send' in decision ? decision.send : undefined);
const ignoredOf = ({ decision }: HeldEdge) => ('ignored' in decision ? decision.ignored : undefined);
const isAct = ({ event }: HeldEdge, act: OperatorAct) => event?.type === 'operator' && event.act === act;
const sends = moves.filter(sendOf);
const withoutHold = ({ held, ...state }: SagaState) => state;

describe('R49 a hold, tried in every state that can be reached', () => {
  it('R49 nothing of a held saga is sent until somebody resumes it', () => {
    const held = moves.filter(({ from, to }) => isHeldAlone(from.state) && !isFinal(to.state.status));
    expect(breaking(held, (edge) => isAct(edge, 'resume') || (!sendOf(edge) && isHeldAlone(edge.to.state)))).toEqual(
      [],
    );
  });

  it('R49 the command of a held step is not sent, unless somebody lets one saga pass that stands there', () => {
    const isHeldCommand = ({ from }: HeldEdge, send: { step: string; action: string }) =>
      send.action === 'do' && send.step === from.heldStep;
    const held = sends.filter((edge) => isHeldCommand(edge, sendOf(edge)!));
    expect(breaking(held, (edge) => isAct(edge, 'resume') && isHeldWithStep(edge.from.state))).toEqual([]);
  });

  it('R49 a way back is never held with a step, and nothing is held that has ended', () => {
    const wrong = ({ to: { state } }: { to: HeldWorld }) =>
      (isHeldWithStep(state) && state.action === 'undo') || (isFinal(state.status) && state.held !== undefined);
    expect(breaking(moves, (edge) => !wrong(edge))).toEqual([]);
  });

  it('R49 the deadline of a held saga stands still', () => {
    const passed = events.filter(({ from, event }) => from.state.held && event.type === 'deadline-passed');
    expect(breaking(passed, ({ to }) => to === undefined)).toEqual([]);
  });

  it('R49 a deadline that passes while the step is held repeats no command and spends no budget', () => {
    const passed = moves.filter(
      ({ from: { state, heldStep }, event }) =>
        event.type === 'deadline-passed' && state.action === 'do' && state.step === heldStep,
    );
    const kept = ({ from, to }: { from: HeldWorld; to: HeldWorld }) =>
      isHeldWithStep(to.state) && to.state.held!.owes === true && to.state.attempt === from.state.attempt;
    expect(breaking(passed, (edge) => kept(edge) && !sendOf(edge))).toEqual([]);
  });

  it('R49 what a saga owes is what was not sent; what it calls unsent was never sent', () => {
    const known = ({ definition, to }: HeldEdge & { to: HeldWorld }) => {
      const { held } = to.state;
      const awaited = awaitedIn(definition, to);
      if (held?.unsent && (!held.owes || awaited !== 'unsent')) return false;
      return !isMoving(to.state) || held?.owes === true || awaited === 'sent';
    };
    expect(breaking(moves, known)).toEqual([]);
  });

  it('R49 a reply, a wish and a hint count as they would without the hold', () => {
    const told = moves.filter(
      ({ from, event }) =>
        from.state.held && !from.state.held.unsent && (event.type === 'replied' || event.type === 'cancel-requested'),
    );
    const alike = ({
      definition,
      from,
      event,
      to,
    }: HeldEdge & { to: HeldWorld; event: NonNullable<HeldEdge['event']> }) => {
      const free = decide(definition, withoutHold(from.state), event);
      const standing = ({ status, step, action, reason, cancelRequested }: SagaState) => ({
        status,
        step,
        action,
        reason,
        cancelRequested,
      });
      return 'state' in free && isDeepStrictEqual(standing(free.state), standing(to.state));
    };
    expect(breaking(told, alike)).toEqual([]);
  });

  it('R49 held and resumed at once, a saga is as it was', () => {
    const held = moves.filter((edge) => isAct(edge, 'hold') && !edge.from.state.held);
    const asBefore = ({ definition, from, to }: HeldEdge & { to: HeldWorld }) => {
      const back = decide(definition, to.state, { type: 'operator', act: 'resume', by: 'olga' }, holdOfWorld(from));
      return 'state' in back && !back.send && isDeepStrictEqual(back.state, from.state);
    };
    expect(breaking(held, asBefore)).toEqual([]);
  });

  it('R49 resumed, a saga sends what it owes as the next attempt, or goes on to wait for its reply', () => {
    const resumed = moves.filter((edge) => isAct(edge, 'resume'));
    const goesOn = (edge: HeldEdge & { to: HeldWorld }) => {
      const { from, to } = edge;
      const send = sendOf(edge);
      if (isHeldAlone(from.state) && from.state.held!.owes && from.state.step === from.heldStep) {
        if (from.state.action === 'do') return !send && isHeldWithStep(to.state) && to.state.held!.owes === true;
      }
      if (to.state.held) return false;
      return from.state.held!.owes
        ? awaits(from.state, send!) && send!.attempt === from.state.attempt + 1
        : !send && isDeepStrictEqual(to.state, withoutHold(from.state));
    };
    expect(breaking(resumed, goesOn)).toEqual([]);
  });

  it('R49 a saga leaves the hold of a step when the step is released, and not before', () => {
    const released = events.filter(({ event }) => event.type === 'released');
    const leaves = (edge: HeldEdge) => {
      const { state, heldStep } = edge.from;
      if (!isHeldWithStep(state)) return ['not-held', 'ended'].includes(ignoredOf(edge)!);
      return state.step === heldStep
        ? ignoredOf(edge) === 'held'
        : sendOf(edge)?.attempt === state.attempt + 1 && edge.to!.state.held === undefined;
    };
    expect(breaking(released, leaves)).toEqual([]);
  });

  it('R49 who holds a saga and why stands in the state and in the history', () => {
    const held = moves.filter((edge) => isAct(edge, 'hold'));
    const told = ({ to, decision }: HeldEdge & { to: HeldWorld }) =>
      'transition' in decision &&
      isDeepStrictEqual(decision.transition.detail, { by: 'olga', reason: 'she said so' }) &&
      to.state.held!.by === 'olga' &&
      to.state.held!.reason === 'she said so';
    expect(breaking(held, told)).toEqual([]);
    const again = events.filter((edge) => isAct(edge, 'hold') && isHeldAlone(edge.from.state));
    expect(breaking(again, (edge) => ignoredOf(edge) === 'already-held')).toEqual([]);
    const nobody = events.filter(
      (edge) => isAct(edge, 'resume') && !edge.from.state.held && isUnderWay(edge.from.state),
    );
    expect(breaking(nobody, (edge) => ignoredOf(edge) === 'not-held')).toEqual([]);
  });

  it('R9 a cancel turns back what a hold has never let out, the pivot included, and asks nobody to undo it', () => {
    const cancelled = moves.filter(
      ({ definition, from: { state }, event }) =>
        event.type === 'cancel-requested' && state.held?.unsent && pivotOf(definition) >= 0 && state.action === 'do',
    );
    const turned = ({ definition, from, to }: HeldEdge & { to: HeldWorld }) =>
      indexOf(definition, from.state.step) > pivotOf(definition) ||
      (to.state.step !== from.state.step && to.state.action === 'undo') ||
      to.state.status === 'compensated';
    expect(breaking(cancelled, turned)).toEqual([]);
    expect(cancelled.some(({ definition, from }) => indexOf(definition, from.state.step) === pivotOf(definition))).toBe(
      true,
    );
  });

  it('R2 a saga that was held has undone exactly what may have happened when it is compensated', () => {
    const ended = moves.filter(({ to }) => to.state.status === 'compensated');
    const exact = ({ to }: { to: HeldWorld }) =>
      to.dos.every((done, index) => (to.undos[index] === 'succeeded') === (done === 'sent' || done === 'succeeded'));
    expect(breaking(ended, exact)).toEqual([]);
  });

  it('R1 a saga that was held has done every step and undone none when it is completed', () => {
    const ended = moves.filter(({ to }) => to.state.status === 'completed');
    const all = ({ to }: { to: HeldWorld }) =>
      to.dos.every((done) => done === 'succeeded') && to.undos.every((undone) => undone === 'unsent');
    expect(breaking(ended, all)).toEqual([]);
  });

  it('R2 a do is sent only behind the success of those before it, and nothing behind the pivot is undone', () => {
    const right = (edge: HeldEdge & { to: HeldWorld }) => {
      const { definition, to } = edge;
      const { step, action } = sendOf(edge)!;
      const index = indexOf(definition, step);
      if (action === 'undo') return index < pivotOf(definition);
      return (
        to.dos.slice(0, index).every((done) => done === 'succeeded') && to.undos.every((undone) => undone === 'unsent')
      );
    };
    expect(breaking(sends, right)).toEqual([]);
  });

  it('R7 from every state an end can be reached', () => {
    const comesFrom = new Map<number, number[]>();
    const reaching = new Set<number>();
    for (const { fromId, toId, to } of edges) {
      if (toId === undefined) continue;
      comesFrom.set(toId, [...(comesFrom.get(toId) ?? []), fromId]);
      if (isFinal(to!.state.status)) reaching.add(toId);
    }
    for (const id of reaching) for (const before of comesFrom.get(id) ?? []) reaching.add(before);
    expect(edges.filter(({ fromId, from }) => !isFinal(from.state.status) && !reaching.has(fromId)).length).toBe(0);
  });

  it('R48 each transition begins where the one before it ended', () => {
    const positionOf = ({ status, step, action }: SagaState) =>
      status === 'running' || status === 'compensating' ? `${step}.${action}` : status;
    const told = ({ from, to, decision }: HeldEdge & { to: HeldWorld }) =>
      'transition' in decision &&
      decision.transition.from === positionOf(from.state) &&
      decision.transition.to === positionOf(to.state) &&
      decision.transition.attempt === from.state.attempt;
    expect(breaking(moves, told)).toEqual([]);
  });
});
