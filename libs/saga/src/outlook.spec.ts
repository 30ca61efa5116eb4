import { breaking, definitions, type Edge, edges, moves } from '../testing/exploration';
import { journeyV1 } from '../testing/journey';
import { decide, start } from './decide';
import { outlookOf } from './outlook';
import { isFinal, type OperatorAct, operatorActs, type SagaEvent, type SagaState } from './saga-state';

const journey = journeyV1 as never;
const after = (...events: SagaEvent[]): SagaState =>
  events.reduce((state, event) => {
    const decision = decide(journey, state, event);
    return 'state' in decision ? decision.state : state;
  }, start(journey).state);
const done = (step: string): SagaEvent => ({ type: 'replied', step, action: 'do', outcome: 'succeeded' });
const cancelled: SagaEvent = { type: 'cancel-requested', reason: 'rain' };
const stepsOf = (state: SagaState) => {
  const { todo, undo } = outlookOf(journey, state);
  return { todo, undo };
};
const actIn = (state: SagaState, act: OperatorAct, ...more: [Parameters<typeof outlookOf>[2]?]) =>
  outlookOf(journey, state, ...more).acts.find((one) => one.act === act)!;

describe('R49 the outlook of a saga', () => {
  it('R49 names the steps to come, and those that a turn back would undo', () => {
    expect(stepsOf(after())).toEqual({ todo: ['flight', 'hotel', 'pay'], undo: ['flight'] });
    expect(stepsOf(after(done('flight')))).toEqual({ todo: ['hotel', 'pay'], undo: ['hotel', 'flight'] });
    // Only the refusal of the pivot turns it back, and then the pivot has done nothing.
    expect(stepsOf(after(done('flight'), done('hotel')))).toEqual({ todo: ['pay'], undo: ['hotel', 'flight'] });
    expect(stepsOf(after(done('flight'), cancelled))).toEqual({ todo: [], undo: ['hotel', 'flight'] });
    expect(stepsOf(after(done('flight'), done('hotel'), done('pay')))).toEqual({ todo: [], undo: [] });
  });

  it('R49 does not name a step that a hold has never let out among those to undo', () => {
    const held = after(done('flight'), { type: 'operator', act: 'hold', by: 'olga', reason: 'x' });
    expect(stepsOf(held).undo).toEqual(['hotel', 'flight']);
    const owing = after({ type: 'operator', act: 'hold', by: 'olga', reason: 'x' }, done('flight'));
    expect(stepsOf(owing).undo).toEqual(['flight']);
  });

  it('R49 says of each act what it would do, or why it is not possible', () => {
    const running = after(done('flight'));
    expect(outlookOf(journey, running).acts.map(({ act }) => act)).toEqual(operatorActs);
    expect(actIn(running, 'cancel')).toEqual({
      act: 'cancel',
      possible: true,
      becomes: { status: 'compensating', step: 'hotel', action: 'undo', sends: true, held: false },
    });
    expect(actIn(running, 'skip')).toEqual({ act: 'skip', possible: false, why: 'not-parked' });
    expect(actIn(running, 'resume')).toEqual({ act: 'resume', possible: false, why: 'not-held' });
    expect(actIn(running, 'hold').becomes).toMatchObject({ status: 'running', held: true, sends: false });
    const stepHeld = (step: string) => (step === 'hotel' ? { by: 'hugo', reason: 'repairs' } : undefined);
    expect(actIn(running, 'retry', stepHeld).becomes).toMatchObject({ held: true, sends: false });
  });

  it('R49 holds what it says, in every state that can be reached', () => {
    const acted = edges.filter(({ event }) => event.type === 'operator');
    const kept = ({ definition, from, event, decision }: Edge) => {
      const told = outlookOf(definition, from.state).acts.find(
        ({ act }) => event.type === 'operator' && act === event.act,
      )!;
      if ('ignored' in decision) return !told.possible && told.why === decision.ignored;
      const { status, step, action } = decision.state;
      const { becomes } = told;
      return becomes?.status === status && becomes.step === step && becomes.action === action;
    };
    expect(breaking(acted, kept)).toEqual([]);
  });

  it('R49 a turn back that comes now undoes the steps that it names, one by one', () => {
    const turns = moves.filter(
      ({ from, to }) => from.state.action === 'do' && to.state.action === 'undo' && !isFinal(from.state.status),
    );
    const named = ({ definition, from, to }: Edge) => {
      const { undo } = outlookOf(definition, from.state);
      const { undo: left } = outlookOf(definition, to!.state);
      // A step that was refused is left out.
      return [undo, undo.slice(1)].some((names) => names.join() === left.join());
    };
    expect(definitions.length).toBeGreaterThan(0);
    expect(breaking(turns, named)).toEqual([]);
  });
});
