/**
 * What a release of a definition promises to sagas that are open when the next release comes: its plan, the bodies of
 * its commands, and every state in which it may have left a saga.
 */
import { decide, start } from '../src/decide';
import type { SagaDefinition } from '../src/definition';
import { budgetOf } from '../src/moves';
import { isFinal, type SagaEvent, type SagaState } from '../src/saga-state';

/** The id of the saga whose bodies are kept. */
export const SAMPLE_ID = '00000000-0000-7000-8000-000000000001';

/**
 * The steps in order, with the mailbox and type of their commands. Deadlines may change while a saga runs; these may
 * not.
 */
export interface Plan {
  name: string;
  version: number;
  steps: { name: string; pivot: boolean; do: string; undo: string | null }[];
}

export interface Release {
  plan: Plan;
  /** The data of the saga `SAMPLE_ID`. */
  data: object;
  /** The bodies of its commands, by `<step>/<action>`. */
  bodies: Record<string, unknown>;
  states: SagaState[];
}

export function releaseOf(definition: SagaDefinition<never>, data: object): Release {
  return { plan: planOf(definition), data, bodies: bodiesOf(definition, data), states: statesOf(definition) };
}

export function planOf({ name, version, steps }: SagaDefinition<never>): Plan {
  return {
    name,
    version,
    steps: steps.map(({ name, pivot = false, do: forth, undo }) => ({
      name,
      pivot,
      do: `${forth.command.mailbox} ${forth.command.type}`,
      undo: undo ? `${undo.command.mailbox} ${undo.command.type}` : null,
    })),
  };
}

export function bodiesOf({ steps }: SagaDefinition<never>, data: object): Record<string, unknown> {
  const bodies = steps.flatMap(({ name, ...step }) =>
    (['do', 'undo'] as const).flatMap((action) => {
      const command = step[action];
      return command ? [[`${name}/${action}`, command.body(data as never, SAMPLE_ID, {})] as const] : [];
    }),
  );
  // The bodies as they are sent: JSON leaves out some values.
  return JSON.parse(JSON.stringify(Object.fromEntries(bodies))) as Record<string, unknown>;
}

/**
 * Each kind of state at the first and at the last attempt of its budget. The attempts between them make no difference.
 */
function statesOf(definition: SagaDefinition<never>): SagaState[] {
  const kinds = new Map<string, SagaState>();
  const seen = new Set<string>();
  const queue = [start(definition).state];
  for (let state = queue.shift(); state; state = queue.shift()) {
    const budget = budgetOf(definition, state);
    const key = JSON.stringify(state);
    if (state.attempt > budget || seen.has(key)) continue;
    seen.add(key);
    const { status, step, action, attempt, cancelRequested } = state;
    const kind = [status, step, action, cancelRequested, !isFinal(status) && attempt].join();
    if ([1, budget].includes(attempt) && !kinds.has(kind)) kinds.set(kind, state);
    for (const event of eventsFor(state)) {
      const decision = decide(definition, state, event);
      if ('state' in decision) queue.push(decision.state);
    }
  }
  return [...kinds.values()];
}

function eventsFor({ step, action, attempt }: SagaState): SagaEvent[] {
  return [
    { type: 'replied', step, action, outcome: 'succeeded' },
    { type: 'replied', step, action, outcome: 'refused', reason: 'no' },
    { type: 'replied', step, action, outcome: 'refused', reason: 'unreadable', inDoubt: true },
    { type: 'deadline-passed', step, action, attempt },
    { type: 'cancel-requested', reason: 'cancelled_by_client' },
    // A held state is one of these with a column beside it.
    ...(['retry', 'skip', 'cancel'] as const).map(
      (act) => ({ type: 'operator', act, by: 'olga', reason: 'she said so' }) as const,
    ),
  ];
}
