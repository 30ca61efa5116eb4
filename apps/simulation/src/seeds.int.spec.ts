/** Whether all comes out even: a sample of seeds in each build, and with `SIMULATION_SEED=1000-9999` a long sweep. */
import { expectNoFault, SWEEP_TIMEOUT_MS, useDatabases } from './seeds';
import { Simulation } from './simulation';

/** Behind those of reach.int.spec.ts. */
const SAMPLE = { first: 301, last: 600 };
const A_DAY_MS = 86_400_000;

const databases = useDatabases();
const asked = process.env.SIMULATION_SEED;
const { first, last } = asked === undefined ? SAMPLE : readRange(asked);

it(
  `R11 R10 R4 seeds ${first} to ${last}: whatever is lost, repeated, late or killed, all comes out even`,
  async () => {
    const simulation = new Simulation(databases());
    for (let seed = first; seed <= last; seed++) expectNoFault(await simulation.run(seed));
  },
  asked === undefined ? SWEEP_TIMEOUT_MS : A_DAY_MS,
);

function readRange(text: string): typeof SAMPLE {
  const [, from, to = from] = /^(\d+)(?:-(\d+))?$/.exec(text) ?? [];
  if (from === undefined) throw new Error('SIMULATION_SEED is a seed, such as 123, or a range, such as 1000-9999');
  return { first: Number(from), last: Number(to) };
}
