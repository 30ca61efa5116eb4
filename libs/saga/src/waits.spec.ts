import { isDeepStrictEqual } from 'node:util';
import { awaits, breaking, budgetOf, type Edge, edges, indexOf, moves, pivotOf } from '../testing/exploration';
import { decide } from './decide';
import { isUnderWay, type SagaState } from './saga-state';

type WaitingEdge = Edge & { event: { outcome: 'waiting'; waiting: { until: string } } };
const isWaiting = (edge: Edge): edge is WaitingEdge =>
  edge.event.type === 'replied' && edge.event.outcome === 'waiting';
const replies = edges.filter(isWaiting);
const hints = edges.filter(({ event }) => event.type === 'hinted');
const waits = ({ waiting }: SagaState) => waiting !== undefined;
const ignoredOf = ({ decision }: Edge) => ('ignored' in decision ? decision.ignored : undefined);
const sendOf = ({ decision }: Edge) => ('send' in decision ? decision.send : undefined);
const current = replies.filter(({ from: { state }, event }) => isUnderWay(state) && awaits(state, event as never));
/** Sends the awaited command as if for the first time, and waits no more. */
const asksAgain = (edge: Edge) => {
  const { state } = edge.to!;
  const send = sendOf(edge);
  return send?.attempt === 1 && state.attempt === 1 && awaits(edge.from.state, send) && !waits(state) && !state.hinted;
};

describe('R5 a reply that says waiting, tried in every state that can be reached', () => {
  it('R5 lets the saga wait where it is, until the time in it, and sends nothing', () => {
    const news = current.filter(
      ({ from, event }) => !from.state.hinted && from.state.waiting?.until !== event.waiting.until,
    );
    const stays = ({ from, event, to, decision }: WaitingEdge) => {
      const { waiting, ...state } = from.state;
      const { until } = event.waiting;
      const then = { ...state, attempt: 0, waiting: { until, for: 'customer' } };
      return isDeepStrictEqual(to!.state, then) && sendOf({ decision } as Edge) === undefined;
    };
    expect(breaking(news, (edge) => stays(edge))).toEqual([]);
  });

  it('R5 is met by a do before, at and behind the pivot, and by an undo', () => {
    const places = ({ definition, from: { state } }: Edge) => {
      const distance = Math.sign(indexOf(definition, state.step) - pivotOf(definition));
      return state.action === 'undo' ? 'undo' : ['before', 'at', 'behind'][distance + 1];
    };
    const met = new Set(current.filter(({ definition }) => pivotOf(definition) >= 0).map(places));
    expect([...met].sort()).toEqual(['at', 'before', 'behind', 'undo']);
  });

  it('R10 changes nothing when it comes again, and the time of the wait when it names another one', () => {
    const again = current.filter(({ from }) => waits(from.state));
    const refreshed = ({ from, event, to }: WaitingEdge) =>
      from.state.waiting!.until === event.waiting.until ? !to : to!.state.waiting!.until === event.waiting.until;
    expect(breaking(again, (edge) => refreshed(edge))).toEqual([]);
  });

  it('R10 is dropped when it is late, when the saga is parked, and when it has ended', () => {
    const late = replies.filter((edge) => !current.includes(edge));
    const dropped = (edge: Edge) => ['ended', 'repeated-or-late', 'foreign'].includes(ignoredOf(edge)!);
    expect(breaking(late, dropped)).toEqual([]);
    expect(late.some(({ from }) => from.state.status === 'parked')).toBe(true);
  });

  it('tells the history until when and for whom, and never what the customer has to do', () => {
    const [edge] = current.filter(({ from }) => !waits(from.state) && !from.state.hinted);
    const { definition, from, event } = edge!;
    const nextAction = {
      type: 'redirect',
      url: 'https://bank.example/secret',
      expiresAt: '2026-03-01T12:00:00Z',
    } as const;
    const secret = { ...event, waiting: { ...event.waiting, nextAction } } as typeof event;
    const decision = decide(definition, from.state, secret);
    expect(decision).toMatchObject({
      transition: { event: 'do.waiting', detail: { for: 'customer', until: expect.any(String) } },
    });
    expect(JSON.stringify(decision)).not.toContain('bank.example');
  });

  it('R5 ends with the deadline: the command is sent with its whole budget before it', () => {
    const over = moves.filter(({ event, from }) => event.type === 'deadline-passed' && waits(from.state));
    expect(breaking(over, (edge) => asksAgain(edge) && budgetOf(edge.definition, edge.to.state) >= 1)).toEqual([]);
  });

  it('R9 does not keep a saga from turning round at once', () => {
    const cancelled = edges.filter(({ event, from }) => event.type === 'cancel-requested' && waits(from.state));
    const turned = ({ definition, from, to }: Edge) => {
      if (from.state.action === 'undo' || from.state.cancelRequested) return !to;
      const before = indexOf(definition, from.state.step) < pivotOf(definition);
      // From the pivot on, the wish is kept and the wait goes on.
      return before
        ? to!.state.status === 'compensating' && to!.state.step === from.state.step && !waits(to!.state)
        : to!.state.cancelRequested && to!.state.attempt === 0 && waits(to!.state);
    };
    expect(breaking(cancelled, turned)).toEqual([]);
  });

  it('R6 an operator may do to a saga that waits what may be done to one on its way', () => {
    const acts = edges.filter(({ event, from }) => event.type === 'operator' && waits(from.state));
    const likeAnother = (edge: Edge) => {
      const { waiting, ...state } = edge.from.state;
      const other = decide(edge.definition, { ...state, attempt: 0 }, edge.event);
      if ('ignored' in other) return ignoredOf(edge) === other.ignored;
      const { waiting: kept, ...to } = edge.to!.state;
      return JSON.stringify([to, sendOf(edge)]) === JSON.stringify([other.state, other.send]);
    };
    expect(breaking(acts, likeAnother)).toEqual([]);
  });

  it('is known only of a saga that is moving, with no command on its way', () => {
    const sound = ({ to }: Edge) => {
      const { waiting, hinted, attempt } = to!.state;
      const { state } = to!;
      if (waiting) return isUnderWay(state) && attempt === 0 && !hinted;
      return !hinted || (isUnderWay(state) && attempt > 0);
    };
    expect(breaking(moves, sound)).toEqual([]);
  });
});

describe('news of a command', () => {
  it('makes a saga that waits send the same command at once', () => {
    const awaited = hints.filter(({ from: { state }, event }) => waits(state) && awaitsStep(state, event));
    expect(breaking(awaited, asksAgain)).toEqual([]);
  });

  it('that comes before the reply is kept once, and the reply then makes the saga ask instead of waiting', () => {
    const early = hints.filter(
      ({ from: { state }, event }) => isUnderWay(state) && !waits(state) && awaitsStep(state, event),
    );
    const kept = (edge: Edge) =>
      edge.from.state.hinted
        ? ignoredOf(edge) === 'repeated-or-late'
        : JSON.stringify(edge.to!.state) === JSON.stringify({ ...edge.from.state, hinted: true }) && !sendOf(edge);
    expect(breaking(early, kept)).toEqual([]);
    expect(
      breaking(
        current.filter(({ from }) => from.state.hinted),
        asksAgain,
      ),
    ).toEqual([]);
  });

  it('of a step that is not awaited moves nothing, nor does it move a saga that is parked or has ended', () => {
    const other = hints.filter(({ from: { state }, event }) => !isUnderWay(state) || !awaitsStep(state, event));
    expect(breaking(other, (edge) => ignoredOf(edge) !== undefined)).toEqual([]);
  });
});

function awaitsStep({ step }: SagaState, event: object): boolean {
  return 'step' in event && event.step === step;
}
