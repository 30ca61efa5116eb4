import {
  awaits,
  breaking,
  budgetOf,
  definitions,
  type Edge,
  edges,
  indexOf,
  moves,
  pivotOf,
  sends,
  type World,
} from '../testing/exploration';
import { decide, start } from './decide';
import { isFinal, type SagaState } from './saga-state';

describe('R7 decide, tried in every state that can be reached', () => {
  it('R7 the same state and event always lead to the same decision', () => {
    const again = ({ definition, from, event, decision }: Edge) =>
      JSON.stringify(decide(definition, from.state, event)) === JSON.stringify(decision);
    expect(breaking(edges, again)).toEqual([]);
  });

  it('R7 only the awaited reply, the current deadline, the first news and the first wish to cancel move a saga, but for an operator', () => {
    const moved = ({ from: { state }, event }: Edge): boolean => {
      if (isFinal(state.status)) return false;
      const parked = state.status === 'parked';
      if (event.type === 'replied') {
        const known = event.outcome === 'waiting' && state.waiting?.until === event.waiting.until;
        return awaits(state, event) && !(parked && event.outcome !== 'succeeded') && !known;
      }
      if (event.type === 'hinted') return !parked && event.step === state.step && !state.hinted;
      if (event.type === 'deadline-passed') return !parked && awaits(state, event) && event.attempt === state.attempt;
      return state.action === 'do' && !state.cancelRequested;
    };
    const byThemselves = edges.filter(({ event }) => event.type !== 'operator');
    expect(breaking(byThemselves, (edge) => moved(edge) === (edge.to !== undefined))).toEqual([]);
  });

  it('R7 an ended saga absorbs everything', () => {
    const ended = edges.filter(({ from }) => isFinal(from.state.status));
    expect(breaking(ended, ({ decision }) => 'ignored' in decision && decision.ignored === 'ended')).toEqual([]);
  });

  it('R5 a saga that is neither ended nor parked awaits exactly one command, with a deadline', () => {
    const { state, send } = start(definitions[0]!);
    expect(send).toEqual({ step: state.step, action: state.action, attempt: 1, deadlineMs: expect.any(Number) });
    const isSame = (one: SagaState, other: SagaState) => JSON.stringify(one) === JSON.stringify(other);
    const keptOf = ({ event, to }: Edge): Partial<SagaState> => {
      if (event.type === 'replied') return { attempt: 0, waiting: to!.state.waiting! };
      return event.type === 'hinted' ? { hinted: true } : { cancelRequested: true, reason: to!.state.reason };
    };
    const waits = (edge: Edge) => {
      const { from, to, decision } = edge;
      if ('ignored' in decision) return true;
      const { status, step, action, attempt } = to!.state;
      if (isFinal(status) || status === 'parked') return decision.send === undefined;
      if (action !== (status === 'running' ? 'do' : 'undo')) return false;
      const sent = decision.send;
      // Only what is kept for later leaves the awaited command and its deadline unchanged, and a wait changes both.
      if (!sent) return isSame(to!.state, { ...from.state, ...keptOf(edge) });
      return sent.step === step && sent.action === action && sent.attempt === attempt && sent.deadlineMs > 0;
    };
    expect(breaking(edges, waits)).toEqual([]);
  });

  it('R5 a command that is sent again is the same one with the next attempt, within its budget before the pivot', () => {
    const late = moves.filter(({ event }) => event.type === 'deadline-passed');
    const goesOn = ({ definition, from, to }: Edge) => {
      const before = from.state;
      const after = to!.state;
      const mayTurn = before.action === 'undo' || indexOf(definition, before.step) < pivotOf(definition);
      const spent = before.attempt >= budgetOf(definition, before);
      if (!mayTurn || !spent) {
        return awaits(after, before) && after.status === before.status && after.attempt === before.attempt + 1;
      }
      return before.action === 'undo'
        ? after.status === 'parked'
        : after.status === 'compensating' && after.step === before.step && after.reason === 'timed_out';
    };
    expect(breaking(late, goesOn)).toEqual([]);
  });

  it('R5 a command counts its attempts from one', () => {
    const counted = ({ from, event, send }: (typeof sends)[number]) => {
      const again = event.type === 'deadline-passed' || (event.type === 'operator' && from.state.status !== 'parked');
      return send.attempt === (again && awaits(from.state, send) ? from.state.attempt + 1 : 1);
    };
    expect(breaking(sends, counted)).toEqual([]);
  });

  it('R2 a refusal up to the pivot turns the saga back, with its reason; behind the pivot it parks the saga', () => {
    const refusals = moves.filter(
      ({ event }) => event.type === 'replied' && event.action === 'do' && event.outcome === 'refused' && !event.inDoubt,
    );
    const answered = ({ definition, from, to }: Edge) => {
      const index = indexOf(definition, from.state.step);
      const { status, reason } = to!.state;
      if (index > pivotOf(definition)) return status === 'parked';
      return reason === 'no' && status === (index === 0 ? 'compensated' : 'compensating');
    };
    expect(breaking(refusals, answered)).toEqual([]);
  });

  it('R2 a refusal in doubt undoes its own step before the pivot, and parks the saga from the pivot on', () => {
    const doubts = moves.filter(({ event }) => event.type === 'replied' && 'inDoubt' in event && event.action === 'do');
    const resolved = ({ definition, from, to }: Edge) => {
      const { status, step, action } = to!.state;
      if (indexOf(definition, from.state.step) >= pivotOf(definition)) return status === 'parked';
      return status === 'compensating' && step === from.state.step && action === 'undo';
    };
    expect(doubts.length).toBeGreaterThan(0);
    expect(breaking(doubts, resolved)).toEqual([]);
  });

  it('R2 a do is sent only when every step before it has succeeded and nothing is being undone', () => {
    const inOrder = ({ definition, from, event, to, send }: (typeof sends)[number]) =>
      send.action === 'undo' ||
      (to.dos.slice(0, indexOf(definition, send.step)).every((known) => known === 'succeeded') &&
        to.undos.every((known) => known === 'unsent') &&
        (from.state.step === send.step || event.type === 'replied' || event.type === 'operator'));
    expect(breaking(sends, inOrder)).toEqual([]);
  });

  it('R2 nothing is undone from the moment the pivot is on its way, unless it was refused', () => {
    const undos = sends.filter(({ send }) => send.action === 'undo');
    const beforePivot = ({ definition, to, send }: (typeof sends)[number]) => {
      const pivot = pivotOf(definition);
      return (
        indexOf(definition, send.step) < pivot &&
        ['unsent', 'refused'].includes(to.dos[pivot]!) &&
        to.dos.slice(pivot + 1).every((known) => known === 'unsent')
      );
    };
    expect(breaking(undos, beforePivot)).toEqual([]);
  });

  it('R2 a refused step is never undone, nor one that was never sent', () => {
    const undos = sends.filter(({ send }) => send.action === 'undo');
    const mayHaveHappened = ({ definition, to, send }: (typeof sends)[number]) =>
      ['sent', 'succeeded'].includes(to.dos[indexOf(definition, send.step)]!);
    expect(breaking(undos, mayHaveHappened)).toEqual([]);
  });

  it('R2 compensation walks strictly backward, one step at a time, each undone before the one in front of it', () => {
    const undos = sends.filter(({ send }) => send.action === 'undo');
    const backward = ({ definition, from, to, send }: (typeof sends)[number]) => {
      const index = indexOf(definition, send.step);
      const behind = to.undos.map((known, at) => [known, to.dos[at]] as const).slice(index + 1);
      return (
        // Every step after this one that may have happened has been undone. No step before it has been undone yet.
        behind.every(([undo, done]) =>
          ['unsent', 'refused'].includes(done!) ? undo === 'unsent' : undo === 'succeeded',
        ) &&
        to.undos.slice(0, index).every((known) => known === 'unsent') &&
        from.undos[index] !== 'succeeded'
      );
    };
    expect(breaking(undos, backward)).toEqual([]);
  });

  it('R2 a compensated saga has undone exactly the steps that may have happened', () => {
    const ended = moves.filter(({ to }) => to.state.status === 'compensated');
    const exact = ({ to }: Edge) =>
      to!.dos.every((done, index) => {
        const mayHaveHappened = done === 'sent' || done === 'succeeded';
        return to!.undos[index] === (mayHaveHappened ? 'succeeded' : 'unsent');
      });
    expect(breaking(ended, exact)).toEqual([]);
  });

  it('R2 a step that was sent and not answered is undone when the saga turns round', () => {
    const turns = moves.filter(
      ({ from, to, event }) =>
        event.type !== 'replied' && from.state.status === 'running' && to.state.status !== 'running',
    );
    expect(
      breaking(turns, ({ definition, from, to }) => to.undos[indexOf(definition, from.state.step)] === 'sent'),
    ).toEqual([]);
  });

  it('R1 a completed saga has done every step and undone none', () => {
    const ended = moves.filter(({ to }) => to.state.status === 'completed');
    const all = ({ to }: Edge) =>
      to!.dos.every((known) => known === 'succeeded') && to!.undos.every((known) => known === 'unsent');
    expect(breaking(ended, all)).toEqual([]);
  });

  it('R9 a wish to cancel never interrupts a compensation, and is never forgotten', () => {
    const after = moves.filter(({ from }) => from.state.cancelRequested);
    expect(breaking(after, ({ to }) => to.state.cancelRequested)).toEqual([]);
    const compensating = edges.filter(
      ({ from, event }) => from.state.status === 'compensating' && event.type === 'cancel-requested',
    );
    expect(breaking(compensating, ({ to }) => to === undefined)).toEqual([]);
  });

  it('R6 a parked saga goes on when the missing reply arrives after all', () => {
    const late = edges.filter(
      ({ from, event }) =>
        from.state.status === 'parked' &&
        event.type === 'replied' &&
        event.outcome === 'succeeded' &&
        awaits(from.state, event),
    );
    expect(breaking(late, ({ to }) => to !== undefined && to.state.status !== 'parked')).toEqual([]);
  });

  it('R7 from every state an end can be reached', () => {
    const stuck = definitions.flatMap((definition) => {
      const own = moves.filter((edge) => edge.definition === definition);
      const keyOf = (world: World) => JSON.stringify(world);
      const comesFrom = new Map<string, string[]>();
      for (const { from, to } of own) {
        comesFrom.set(keyOf(to), [...(comesFrom.get(keyOf(to)) ?? []), keyOf(from)]);
      }
      const reaching = new Set(own.filter(({ to }) => isFinal(to.state.status)).map(({ to }) => keyOf(to)));
      for (const key of reaching) for (const before of comesFrom.get(key) ?? []) reaching.add(before);
      return own.map(({ from }) => keyOf(from)).filter((key) => !reaching.has(key));
    });
    expect(stuck).toEqual([]);
  });

  it('R48 each transition begins where the one before it ended', () => {
    const positionOf = ({ status, step, action }: SagaState) =>
      status === 'running' || status === 'compensating' ? `${step}.${action}` : status;
    const told = ({ from, to, decision }: Edge) => {
      if ('ignored' in decision) return true;
      const { transition } = decision;
      return (
        transition.from === positionOf(from.state) &&
        transition.to === positionOf(to!.state) &&
        transition.step === from.state.step &&
        transition.attempt === from.state.attempt
      );
    };
    expect(breaking(edges, told)).toEqual([]);
  });
});
