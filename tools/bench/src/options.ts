/** The command line of `npm run bench`. */
import { type ServiceName, serviceNames } from '@shop/system';

export const scenarioNames = [
  'rounds',
  'flash',
  'history',
  'replicas',
  'growth',
  'overload',
  'neighbour',
  'slow-provider',
  'hanging-provider',
  'put-vs-post',
  'flash-reservations',
  'backfill-under-load',
  'invoices',
  'operator-lists',
  'traces',
] as const;
export type ScenarioName = (typeof scenarioNames)[number];

/** What the clients of the flooding tenant do: place orders, post one again and again, read lists, place and cancel. */
export const floodKinds = ['orders', 'repeats', 'lists', 'cancels'] as const;
export type FloodKind = (typeof floodKinds)[number];

const providers = ['simulated', 'sandbox'] as const;

export interface Options {
  scenario: ScenarioName;
  /** Rounds, or bursts of each kind. */
  rounds: number;
  /** Different orders of one burst. */
  orders: number;
  warmUp: number;
  concurrency: number;
  skus: number;
  steadySeconds: number;
  /** Orders per second. */
  steadyRate: number;
  /** Orders placed one after the other before the steady load: a burst runs some code too rarely for it to be compiled. */
  steadyWarmUp: number;
  seed: number;
  /** Finished orders to fill in. */
  history: number;
  provider: (typeof providers)[number];
  flood: FloodKind;
  /** A service whose CPU profile is written. */
  profile: ServiceName | undefined;
}

/** Thrown when the command line cannot be read; its message is one sentence. */
export class OptionError extends Error {}

const numbers: Record<string, { usual: number; least: number }> = {
  rounds: { usual: 3, least: 1 },
  orders: { usual: 6_000, least: 1 },
  'warm-up': { usual: 2_000, least: 0 },
  concurrency: { usual: 64, least: 1 },
  // One of them is sold out, so two leave one that can be bought.
  skus: { usual: 1_000, least: 2 },
  'steady-seconds': { usual: 15, least: 0 },
  'steady-rate': { usual: 50, least: 1 },
  'steady-warm-up': { usual: 0, least: 0 },
  seed: { usual: 42, least: 0 },
  history: { usual: 1_000_000, least: 1 },
};

/** The defaults of scenarios that are about exactly these numbers. */
const usualOf: Partial<Record<ScenarioName, Record<string, number>>> = {
  overload: { concurrency: 2_000, orders: 20_000 },
  neighbour: { concurrency: 400, 'steady-rate': 20 },
  'slow-provider': { concurrency: 400, orders: 4_000, 'steady-rate': 2, 'steady-seconds': 60 },
  'hanging-provider': { orders: 3_000, rounds: 2 },
  'put-vs-post': { orders: 3_000 },
  'operator-lists': { orders: 300, 'warm-up': 20 },
  invoices: { orders: 500, concurrency: 500, 'warm-up': 200 },
};

const names = [...Object.keys(numbers), 'scenario', 'provider', 'flood', 'profile'];

/** `--orders 6000 --concurrency 64 --scenario flash`: pairs of a name and a value. @throws OptionError */
export function readOptions(argv: readonly string[]): Options {
  const given = pairsOf(argv);
  const scenario = choice(given, 'scenario', scenarioNames) ?? 'rounds';
  const number = (name: string): number => numberOf(given.get(name), name, usualOf[scenario]?.[name]);
  return {
    scenario,
    rounds: number('rounds'),
    orders: number('orders'),
    warmUp: number('warm-up'),
    concurrency: number('concurrency'),
    skus: number('skus'),
    steadySeconds: number('steady-seconds'),
    steadyRate: number('steady-rate'),
    steadyWarmUp: number('steady-warm-up'),
    seed: number('seed'),
    history: number('history'),
    provider: choice(given, 'provider', providers) ?? 'simulated',
    flood: choice(given, 'flood', floodKinds) ?? 'orders',
    profile: choice(given, 'profile', serviceNames),
  };
}

function pairsOf(argv: readonly string[]): Map<string, string> {
  const given = new Map<string, string>();
  for (let index = 0; index < argv.length; index += 2) {
    const [word = '', value] = argv.slice(index, index + 2);
    const name = word.replace(/^--/, '');
    if (!word.startsWith('--') || !names.includes(name)) {
      throw new OptionError(`There is no option ${word}; there are ${names.map((known) => `--${known}`).join(', ')}.`);
    }
    if (value === undefined) throw new OptionError(`The option ${word} needs a value behind it.`);
    given.set(name, value);
  }
  return given;
}

function numberOf(text: string | undefined, name: string, usual = numbers[name]!.usual): number {
  const { least } = numbers[name]!;
  if (text === undefined) return usual;
  const value = /^\d+$/.test(text) ? Number(text) : NaN;
  if (Number.isSafeInteger(value) && value >= least) return value;
  throw new OptionError(`--${name} must be a whole number of at least ${least}, and "${text}" is not.`);
}

function choice<T extends string>(given: Map<string, string>, name: string, among: readonly T[]): T | undefined {
  const text = given.get(name);
  if (text === undefined) return undefined;
  const found = among.find((one) => one === text);
  if (found) return found;
  throw new OptionError(`--${name} must be one of ${among.join(', ')}, and "${text}" is not.`);
}
