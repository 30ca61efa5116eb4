/** What operators do in some runs: they hold sagas and steps for a while, in the middle of everything else. */
import { seededRandom, type SeededRandom } from '@shop/testing';

/** One operator, who holds one thing at a time. */
export interface Holding {
  name: string;
  /** Without it: any one saga. */
  step?: { definition: string; step: string };
  /** Only a saga that is on its way back. */
  back?: boolean;
  times: number;
}

export interface Holds {
  holdings: Holding[];
  /** For each operator, and each request of one. */
  weights: { hold: number; release: number };
}

/** The holds have a stream of their own, so the other seeds are the runs that they are without any. */
const OWN_STREAM = 0x401d;
/** Of so many seeds, one has operators. */
const EVERY = 4;
/** A hold takes choices from what else happens. */
const MORE_CHOICES = 80;
const OPERATORS = ['olga', 'otto', 'oscar'];

const STEPS = [
  ...['charge', 'charge', 'charge', 'reserve', 'reserve', 'confirm'].map((step) => ({
    definition: 'place-order',
    step,
  })),
  ...['stop-delivery', 'refund'].map((step) => ({ definition: 'cancel-order', step })),
];

interface Plan {
  choices: number;
}

export function withHolds<S extends Plan>(seed: number, script: S): S & { holds?: Holds } {
  const random = seededRandom(seed ^ OWN_STREAM);
  if (random.int(EVERY) > 0) return script;
  const holdings = OPERATORS.slice(0, 1 + random.int(OPERATORS.length)).map((name) => holdingOf(random, name));
  const weights = { hold: random.pick([1, 3, 8]), release: random.pick([0.3, 1, 3]) };
  return { ...script, holds: { holdings, weights }, choices: script.choices + MORE_CHOICES };
}

function holdingOf(random: SeededRandom, name: string): Holding {
  const times = 1 + random.int(3);
  if (random.int(2) === 0) return { name, times, step: random.pick(STEPS) };
  return { name, times, back: random.int(2) === 0 };
}
