/**
 * Every state that sagas of many definitions can reach, and the result of each event there, for the tests of `decide`.
 */
import { defineCommand } from '@shop/messaging';
import { decide, start } from '../src/decide';
import { type DeadlinePolicy, defineSaga, type SagaDefinition, step } from '../src/definition';
import { type ActionName, type Decision, type SagaEvent, type SagaState } from '../src/saga-state';

/** What has happened so far, as somebody who watches the messages records it beside the state. */
export interface World {
  state: SagaState;
  /** What is known about the do of each step. */
  dos: readonly ('unsent' | 'sent' | 'succeeded' | 'refused')[];
  undos: readonly ('unsent' | 'sent' | 'succeeded')[];
}
export interface Edge {
  definition: SagaDefinition<never>;
  from: World;
  event: SagaEvent;
  decision: Decision;
  /** Undefined when the event was ignored. */
  to?: World;
}

const action = (name: string) => ({
  command: defineCommand({ service: 'test', name, version: 1, body: class {} }),
  body: () => ({}),
});

type Options = { undo: boolean; pivot: boolean; deadline: Partial<DeadlinePolicy> };

function stepOf(name: string, { undo, ...options }: Options) {
  return step<object>(name, { do: action(name), undo: undo ? action(`un${name}`) : undefined, ...options });
}

const names = ['a', 'b', 'c', 'd'];
export const definitions = [1, 2, 3, 4].flatMap((length) =>
  [undefined, ...names.slice(0, length).keys()].flatMap((pivot) =>
    [
      { attempts: 1, undoAttempts: 1 },
      { attempts: 2, undoAttempts: 3 },
    ].flatMap((deadline) =>
      [true, false].map((undoEverywhere) => {
        const steps = names.slice(0, length).map((name, index) =>
          stepOf(name, {
            deadline,
            pivot: index === pivot,
            undo: undoEverywhere || (pivot !== undefined && index < pivot),
          }),
        );
        const how = `${deadline.attempts} attempts, undo everywhere ${undoEverywhere}`;
        return defineSaga(`${length} steps, pivot ${pivot ?? 'none'}, ${how}`, 1, steps);
      }),
    ),
  ),
) as SagaDefinition<never>[];

export const pivotOf = ({ steps }: SagaDefinition<never>) => steps.findIndex(({ pivot }) => pivot);
export const indexOf = ({ steps }: SagaDefinition<never>, name: string) => steps.findIndex((one) => one.name === name);
export const budgetOf = ({ steps }: SagaDefinition<never>, { action }: SagaState) =>
  action === 'do' ? steps[0]!.deadline.attempts : steps[0]!.deadline.undoAttempts;
export const awaits = ({ step, action }: SagaState, event: { step: string; action: ActionName }) =>
  event.step === step && event.action === action;

/** Until when a participant says that it waits. */
const times = ['2026-03-01T12:00:00Z', '2026-03-02T12:00:00Z'];

/** Everything that can happen to the saga, and many events that do not fit. */
export function* eventsIn(definition: SagaDefinition<never>, { attempt }: SagaState): Generator<SagaEvent> {
  for (const { name } of [...definition.steps, { name: 'stranger' }]) {
    for (const action of ['do', 'undo'] as const) {
      yield { type: 'replied', step: name, action, outcome: 'succeeded' };
      yield { type: 'replied', step: name, action, outcome: 'refused', reason: 'no' };
      yield { type: 'replied', step: name, action, outcome: 'refused', reason: 'unreadable', inDoubt: true };
      for (const until of times) {
        yield {
          type: 'replied',
          step: name,
          action,
          outcome: 'waiting',
          waiting: { until, for: 'customer' },
        };
      }
      for (const number of [attempt - 1, attempt, attempt + 1]) {
        yield { type: 'deadline-passed', step: name, action, attempt: number };
      }
    }
    yield { type: 'hinted', step: name, tenant: 'acme' };
  }
  yield { type: 'cancel-requested', reason: 'changed_mind' };
  // Those of holds are in `holds.ts`.
  for (const act of ['retry', 'skip', 'cancel'] as const)
    yield { type: 'operator', act, by: 'olga', reason: 'she said so' };
}

/** Follows the messages: what was sent, and which answers counted. */
export function watch(definition: SagaDefinition<never>, from: World, event: SagaEvent, decision: Decision): World {
  if ('ignored' in decision) return from;
  const dos = [...from.dos];
  const undos = [...from.undos];
  if (event.type === 'replied') {
    const index = indexOf(definition, event.step);
    // Who waits has neither done it nor refused it.
    if (event.outcome === 'waiting') (event.action === 'do' ? dos : undos)[index] = 'sent';
    else if (event.action === 'do') {
      dos[index] = event.inDoubt ? 'sent' : event.outcome;
    } else if (event.outcome === 'succeeded') undos[index] = 'succeeded';
  }
  if (event.type === 'operator' && event.act === 'skip') {
    (from.state.action === 'do' ? dos : undos)[indexOf(definition, from.state.step)] = 'succeeded';
  }
  if (decision.send) {
    const list: string[] = decision.send.action === 'do' ? dos : undos;
    list[indexOf(definition, decision.send.step)] = 'sent';
  }
  return { state: decision.state, dos, undos };
}

/** A step that is never given up is sent again for ever. A few attempts are enough to show this. */
const ENOUGH_ATTEMPTS = 4;

function explore(definition: SagaDefinition<never>): Edge[] {
  const { state } = start(definition);
  const first: World = {
    state,
    dos: definition.steps.map((_, index) => (index === 0 ? 'sent' : 'unsent')),
    undos: definition.steps.map(() => 'unsent'),
  };
  const seen = new Set([JSON.stringify(first)]);
  const queue = [first];
  const edges: Edge[] = [];
  for (let from = queue.shift(); from; from = queue.shift()) {
    for (const event of eventsIn(definition, from.state)) {
      const decision = decide(definition, Object.freeze({ ...from.state }), Object.freeze(event));
      const to = 'ignored' in decision ? undefined : watch(definition, from, event, decision);
      edges.push({ definition, from, event, decision, to });
      if (!to || to.state.attempt > ENOUGH_ATTEMPTS || seen.has(JSON.stringify(to))) continue;
      seen.add(JSON.stringify(to));
      queue.push(to);
    }
  }
  return edges;
}

export const edges = definitions.flatMap(explore);
export const moves = edges.filter((edge): edge is Edge & { to: World; decision: { state: SagaState } & Decision } =>
  Boolean(edge.to),
);
export const sends = moves.flatMap((edge) =>
  'send' in edge.decision && edge.decision.send ? [{ ...edge, send: edge.decision.send }] : [],
);

/** Describes in one line each edge that breaks the rule. The first few are enough to find the cause. */
export function breaking<E extends Edge>(all: readonly E[], holds: (edge: E) => boolean): string[] {
  expect(all.length).toBeGreaterThan(0);
  return all
    .filter((edge) => !holds(edge))
    .slice(0, 3)
    .map(({ definition, from, event, decision }) => JSON.stringify([definition.name, from, event, decision]));
}
