/** Every state that sagas can reach while people hold them and their steps, and the result of each event there. */
import { decide, start } from '../src/decide';
import type { SagaDefinition } from '../src/definition';
import type { HoldOf } from '../src/hold';
import { type Decision, isFinal, isUnderWay, type SagaEvent, type SagaState } from '../src/saga-state';
import { awaits, definitions as allDefinitions, eventsIn, indexOf, watch, type World } from './exploration';

/** The world, and the step that is held in it. */
export interface HeldWorld extends World {
  heldStep?: string;
}
export interface HeldEdge {
  definition: SagaDefinition<never>;
  from: HeldWorld;
  /** Undefined when a person places the hold of a step, or ends it. No saga is told of that at once. */
  event?: SagaEvent;
  decision: Decision;
  to?: HeldWorld;
  /** The number of each world; equal worlds have one number. */
  fromId: number;
  toId?: number;
}

/** Three steps are enough for one before, at and behind the pivot, and one attempt for a budget that is spent. */
export const definitions = allDefinitions.filter(
  ({ steps, name }) => steps.length === 3 && name.endsWith(' 1 attempts, undo everywhere false'),
);

export const holdOfWorld =
  ({ heldStep }: HeldWorld): HoldOf =>
  (step) =>
    step === heldStep ? { by: 'hugo', reason: 'repairs' } : undefined;

const ENOUGH_ATTEMPTS = 2;

/** What somebody knows of the awaited command who only sees the messages. */
export const awaitedIn = (definition: SagaDefinition<never>, { state, dos, undos }: World): string =>
  (state.action === 'do' ? dos : undos)[indexOf(definition, state.step)]!;

function* eventsHere(definition: SagaDefinition<never>, world: HeldWorld): Generator<SagaEvent> {
  for (const event of eventsIn(definition, world.state)) {
    // Nobody answers, or has news of, what was never sent.
    const isAnswer = (event.type === 'replied' && awaits(world.state, event)) || event.type === 'hinted';
    if (!isAnswer || awaitedIn(definition, world) !== 'unsent') yield event;
  }
  yield { type: 'operator', act: 'hold', by: 'olga', reason: 'she said so' };
  yield { type: 'operator', act: 'resume', by: 'olga' };
  yield { type: 'released' };
}

let worlds = 0;
const kept: Decision = { ignored: 'held' };

function explore(definition: SagaDefinition<never>): HeldEdge[] {
  const queue: HeldWorld[] = [undefined, definition.steps[0]!.name].map((heldStep) => {
    const { state, send } = start(definition, holdOfWorld({ heldStep } as HeldWorld));
    const dos = definition.steps.map((_, index) => (index === 0 && send ? ('sent' as const) : ('unsent' as const)));
    return { state, dos, undos: definition.steps.map(() => 'unsent' as const), heldStep };
  });
  const ids = new Map<string, number>();
  const seen = new Set<number>();
  const idOf = (world: HeldWorld): number => {
    const key = JSON.stringify(world);
    const id = ids.get(key) ?? ++worlds;
    ids.set(key, id);
    return id;
  };
  const edges: HeldEdge[] = [];
  const visit = (edge: Omit<HeldEdge, 'toId'>) => {
    const toId = edge.to && idOf(edge.to);
    edges.push({ ...edge, toId });
    if (!edge.to || edge.to.state.attempt > ENOUGH_ATTEMPTS || seen.has(toId!)) return;
    seen.add(toId!);
    queue.push(edge.to);
  };
  queue.forEach((world) => seen.add(idOf(world)));
  for (let from = queue.shift(); from; from = queue.shift()) {
    const fromId = idOf(from);
    for (const heldStep of [undefined, ...definition.steps.map(({ name }) => name)]) {
      if (heldStep !== from.heldStep && !isFinal(from.state.status)) {
        visit({ definition, from, fromId, decision: kept, to: { ...from, heldStep } });
      }
    }
    for (const event of eventsHere(definition, from)) {
      const state = Object.freeze({ ...from.state });
      const decision = decide(definition, state, Object.freeze(event), holdOfWorld(from));
      const moved = 'ignored' in decision ? undefined : watch(definition, from, event, decision);
      visit({ definition, from, fromId, event, decision, to: moved && { ...moved, heldStep: from.heldStep } });
    }
  }
  return edges;
}

export const edges = definitions.flatMap(explore);
export const events = edges.filter((edge): edge is HeldEdge & { event: SagaEvent } => edge.event !== undefined);
export const moves = events.filter((edge): edge is HeldEdge & { event: SagaEvent; to: HeldWorld } => Boolean(edge.to));

export const isHeldAlone = ({ held }: SagaState): boolean => held !== undefined && !held.step;
export const isHeldWithStep = ({ held }: SagaState): boolean => held?.step === true;
/** A command of it is on its way, or should be. */
export const isMoving = (state: SagaState): boolean => isUnderWay(state) && !state.waiting;

export function breaking(
  all: readonly HeldEdge[],
  holds: (edge: HeldEdge & { event: SagaEvent; to: HeldWorld }) => boolean,
) {
  expect(all.length).toBeGreaterThan(0);
  return all
    .filter((edge) => !holds(edge as HeldEdge & { event: SagaEvent; to: HeldWorld }))
    .slice(0, 3)
    .map(({ definition, from, event, decision }) => JSON.stringify([definition.name, from, event, decision]));
}
