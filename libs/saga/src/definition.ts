/** A saga definition is data: a name, a version, and the steps in order. */
import type { CommandType } from '@shop/messaging';
import type { Backoff } from '@shop/resilience';

/** The results in the replies of the finished steps, by the name of the step. */
export type Results = Readonly<Record<string, Readonly<Record<string, unknown>> | undefined>>;

/**
 * One remote command of a step, and how its body is made from the data of the saga and the results of earlier steps.
 */
export interface StepAction<Data> {
  command: CommandType<object>;
  body: (data: Data, sagaId: string, results: Results) => object;
}

export interface DeadlinePolicy {
  /** How long to wait for a reply before the command is sent again, by attempt. */
  backoff: Backoff;
  /**
   * The number of attempts of the do. After them, a step before the pivot is compensated, and a step from the pivot on
   * is sent further.
   */
  attempts: number;
  /** The number of attempts of the undo. It is larger than that of the do. After them, the saga is parked. */
  undoAttempts: number;
}

export interface StepDefinition<Data> {
  name: string;
  do: StepAction<Data>;
  /** The undo is safe for a do that never arrived, was refused, or is still on its way. */
  undo?: StepAction<Data>;
  /** The point of no return. After its success, and while its outcome is unknown, the saga does not turn back. */
  pivot?: boolean;
  deadline: DeadlinePolicy;
}

export interface SagaDefinition<Data = unknown> {
  name: string;
  version: number;
  steps: readonly StepDefinition<Data>[];
  /** Members of the data that are erased when the saga has ended, because nobody needs them any more. */
  secrets: readonly string[];
}

export const defaultDeadline: DeadlinePolicy = {
  backoff: { firstMs: 3_000, factor: 2, maxMs: 30_000 },
  attempts: 6,
  undoAttempts: 20,
};

export function step<Data>(
  name: string,
  options: Omit<StepDefinition<Data>, 'name' | 'deadline'> & { deadline?: Partial<DeadlinePolicy> },
): StepDefinition<Data> {
  return { name, ...options, deadline: { ...defaultDeadline, ...options.deadline } };
}

/** The name of a step is a part of the ids of its commands, between slashes. */
const NAME = /^[^/]{1,100}$/;

/**
 * @throws Error when the steps cannot make a saga (none, two of one name, two pivots, no way back before the pivot), or
 * when it has no proper name or version
 */
export function defineSaga<Data>(
  name: string,
  version: number,
  steps: readonly StepDefinition<Data>[],
  { secrets = [] }: { secrets?: readonly (keyof Data & string)[] } = {},
): SagaDefinition<Data> {
  const fault = faultOfName(name, version, steps) ?? faultOf(steps);
  if (fault) throw new Error(`saga ${name} v${version}: ${fault}`);
  return { name, version, steps, secrets };
}

function faultOfName(name: string, version: number, steps: readonly StepDefinition<never>[]): string | undefined {
  if (!Number.isInteger(version) || version < 1) return 'its version is not 1, 2, 3 …';
  const odd = [name, ...steps.map((one) => one.name)].find((one) => !NAME.test(one));
  return odd === undefined ? undefined : `'${odd}' is no name: 1 to 100 characters, and no slash`;
}

function faultOf(steps: readonly StepDefinition<never>[]): string | undefined {
  if (steps.length === 0) return 'it has no steps';
  if (new Set(steps.map((one) => one.name)).size < steps.length) return 'two steps have one name';
  if (steps.filter((one) => one.pivot).length > 1) return 'it has two pivots';
  const pivot = Math.max(0, pivotIndex(steps));
  const stuck = steps.slice(0, pivot).find((one) => !one.undo);
  return stuck && `step ${stuck.name} stands before the pivot and cannot be undone`;
}

/**
 * The index of the step from which an unknown outcome is no reason to turn back; -1 for a saga that can only go
 * forward.
 */
export function pivotIndex(steps: readonly Pick<StepDefinition<never>, 'pivot'>[]): number {
  return steps.findIndex((one) => one.pivot);
}

/** Returns -1 when there is no such step. */
export function indexOf(definition: SagaDefinition<never>, step: string): number {
  return definition.steps.findIndex((one) => one.name === step);
}

/** @throws Error when there is no such step */
export function stepOf(definition: SagaDefinition<never>, name: string): StepDefinition<never> {
  const found = definition.steps.find((one) => one.name === name);
  if (!found) throw new Error(`saga ${definition.name} v${definition.version} has no step ${name}`);
  return found;
}
