import { seededRandom } from '@shop/testing';
import {
  awaits,
  breaking,
  definitions,
  type Edge,
  edges,
  eventsIn,
  indexOf,
  moves,
  pivotOf,
} from '../testing/exploration';
import { decide, start } from './decide';
import type { SagaDefinition } from './definition';
import {
  type ActionName,
  isFinal,
  type OperatorAct,
  type OperatorEvent,
  type SagaEvent,
  type SagaState,
} from './saga-state';

type ActEdge = Edge & { event: OperatorEvent };
const acts = edges.filter((edge): edge is ActEdge => edge.event.type === 'operator');
const of = (act: OperatorAct, holds: (state: SagaState) => boolean = () => true) =>
  acts.filter(({ event, from: { state } }) => event.act === act && holds(state));
const isParked = ({ status }: SagaState) => status === 'parked';
const isUnderWay = ({ status }: SagaState) => status === 'running' || status === 'compensating';
const ignoredOf = ({ decision }: Edge) => ('ignored' in decision ? decision.ignored : undefined);
const sendOf = ({ decision }: Edge) => ('send' in decision ? decision.send : undefined);

describe('R6 what an operator may do, tried in every state that can be reached', () => {
  it('R6 every status meets every act, with a do and with an undo awaited', () => {
    const met = new Set(acts.map(({ from: { state }, event }) => `${event.act} ${state.status} ${state.action}`));
    const standings = ['running do', 'compensating undo', 'parked do', 'parked undo', 'completed do', 'compensated do'];
    const all = [...standings, 'compensated undo'].flatMap((one) =>
      ['retry', 'skip', 'cancel'].map((act) => `${act} ${one}`),
    );
    expect([...met].sort()).toEqual(all.sort());
  });

  it('R6 who acted and why stands in each transition', () => {
    const acted = acts.filter(({ to }) => to);
    const told = ({ event, decision }: ActEdge) =>
      'transition' in decision &&
      decision.transition.event === `operator.${event.act}` &&
      decision.transition.detail!['by'] === 'olga' &&
      decision.transition.detail!['reason'] === 'she said so';
    expect(breaking(acted, (edge) => told(edge))).toEqual([]);
  });

  it('R6 nothing can be done to a saga that has ended', () => {
    const ended = acts.filter(({ from }) => isFinal(from.state.status));
    expect(breaking(ended, (edge) => ignoredOf(edge) === 'ended')).toEqual([]);
  });

  it('R6 a retry of a parked saga sends the same command, with its whole budget before it', () => {
    const again = (edge: Edge) => {
      const { from, to } = edge;
      const send = sendOf(edge);
      return (
        send !== undefined &&
        awaits(from.state, send) &&
        send.attempt === 1 &&
        to!.state.attempt === 1 &&
        to!.state.status === (from.state.action === 'do' ? 'running' : 'compensating') &&
        to!.state.reason === from.state.reason &&
        to!.state.cancelRequested === from.state.cancelRequested
      );
    };
    expect(breaking(of('retry', isParked), again)).toEqual([]);
  });

  it('R6 a retry of a saga on its way sends the next attempt at once and never ends a budget', () => {
    const again = (edge: Edge) => {
      const { from, to } = edge;
      const { waiting, hinted, ...state } = from.state;
      const { attempt } = state;
      return (
        JSON.stringify(to!.state) === JSON.stringify({ ...state, attempt: attempt + 1 }) &&
        sendOf(edge)?.attempt === attempt + 1
      );
    };
    expect(breaking(of('retry', isUnderWay), again)).toEqual([]);
  });

  it('R6 only a parked saga can skip', () => {
    expect(breaking(of('skip', isUnderWay), (edge) => ignoredOf(edge) === 'not-parked')).toEqual([]);
    expect(breaking(of('skip', isParked), ({ to }) => to !== undefined && !isParked(to.state))).toEqual([]);
  });

  it('R6 a skip leads where the success of the awaited command would have led', () => {
    const likeSuccess = ({ definition, from, to }: Edge) => {
      const { step, action } = from.state;
      const success = decide(definition, from.state, { type: 'replied', step, action, outcome: 'succeeded' });
      return 'state' in success && JSON.stringify(success.state) === JSON.stringify(to!.state);
    };
    expect(breaking(of('skip', isParked), likeSuccess)).toEqual([]);
  });

  it('R6 R9 a cancel does what a client’s would, under a reason of its own', () => {
    const likeClient = ({ definition, from, decision }: Edge) => {
      const wish = decide(definition, from.state, { type: 'cancel-requested', reason: 'cancelled_by_operator' });
      const stateOf = (one: typeof wish) => ('state' in one ? { state: one.state, send: one.send } : one);
      return JSON.stringify(stateOf(wish)) === JSON.stringify(stateOf(decision));
    };
    const withPivot = of('cancel').filter(({ definition }) => pivotOf(definition) >= 0);
    expect(breaking(withPivot, likeClient)).toEqual([]);
  });

  it('R6 R9 a cancel turns no way back round, and is kept once where the pivot may have happened', () => {
    const onTheWayBack = of('cancel', ({ status, action }) => action === 'undo' && !isFinal(status));
    expect(breaking(onTheWayBack, (edge) => ignoredOf(edge) === 'already-compensating')).toEqual([]);
    const fromPivotOn = of('cancel', ({ status, action }) => action === 'do' && !isFinal(status)).filter(
      ({ definition, from }) => pivotOf(definition) >= 0 && indexOf(definition, from.state.step) >= pivotOf(definition),
    );
    const kept = (edge: Edge) =>
      edge.from.state.cancelRequested
        ? ignoredOf(edge) === 'already-requested'
        : edge.to!.state.cancelRequested && edge.to!.state.status === edge.from.state.status && !sendOf(edge);
    expect(breaking(fromPivotOn, kept)).toEqual([]);
  });

  it('R6 a saga that only goes forward cannot be cancelled by hand', () => {
    const forwardOnly = of('cancel', ({ status }) => !isFinal(status)).filter(
      ({ definition }) => pivotOf(definition) < 0,
    );
    expect(breaking(forwardOnly, (edge) => ignoredOf(edge) === 'never-turns-back')).toEqual([]);
  });

  it('R6 nobody can undo what stands behind the pivot', () => {
    const turned = moves.filter(({ event, to }) => event.type === 'operator' && to.state.action === 'undo');
    expect(breaking(turned, ({ definition, to }) => indexOf(definition, to.state.step) < pivotOf(definition))).toEqual(
      [],
    );
  });
});

describe('R6 chance', () => {
  const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000);
  const random = seededRandom(seed);
  const WALKS_EACH = 10;
  const MAX_STEPS = 400;

  const after = (definition: SagaDefinition<never>, state: SagaState, event: SagaEvent): SagaState => {
    const decision = decide(definition, state, event);
    return 'ignored' in decision ? state : decision.state;
  };
  const success = ({ step, action }: { step: string; action: ActionName }): SagaEvent => ({
    type: 'replied',
    step,
    action,
    outcome: 'succeeded',
  });

  it(`R6 every saga still ends, whatever mixture of replies, deadlines and acts it meets (seed ${seed})`, () => {
    const lost: string[] = [];
    for (const definition of definitions) {
      for (let walk = 0; walk < WALKS_EACH; walk++) {
        let { state } = start(definition);
        for (let count = random.int(MAX_STEPS); count > 0; count--) {
          state = after(definition, state, random.pick([...eventsIn(definition, state)]));
        }
        // From now on, the services answer each awaited command once, forward and back.
        for (let left = 2 * definition.steps.length; left > 0 && !isFinal(state.status); left--) {
          state = after(definition, state, success(state));
        }
        if (!isFinal(state.status)) lost.push(`${definition.name}: ${JSON.stringify(state)}`);
      }
    }
    expect(lost).toEqual([]);
  });

  it(`R6 an operator who cancels and skips brings a saga back, though no service ever answers (seed ${seed})`, () => {
    const lost: string[] = [];
    for (const definition of definitions.filter((one) => pivotOf(one) > 0)) {
      let { state } = start(definition);
      state = after(definition, state, { type: 'operator', act: 'cancel', by: 'olga' });
      for (let count = 0; count < MAX_STEPS && !isFinal(state.status); count++) {
        const { step, action, attempt } = state;
        const events: SagaEvent[] = [
          { type: 'deadline-passed', step, action, attempt },
          { type: 'operator', act: 'skip', by: 'olga', reason: 'done by hand' },
        ];
        state = after(definition, state, random.pick(events));
      }
      if (state.status !== 'compensated') lost.push(`${definition.name}: ${JSON.stringify(state)}`);
    }
    expect(lost).toEqual([]);
  });
});
