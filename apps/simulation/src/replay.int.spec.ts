/** The same seed is the same run, so a failure can be repeated. */
import { useDatabases } from './seeds';
import { Simulation } from './simulation';

const databases = useDatabases();
const SEEDS = Array.from({ length: 60 }, (_, index) => 7_001 + index);
/** For a busy machine. */
const TIMEOUT_MS = 300_000;

it(
  'R11 the same seed makes the same choices and comes to the same end, in any order',
  async () => {
    const simulation = new Simulation(databases());
    const first = new Map<number, unknown>();
    for (const seed of SEEDS) first.set(seed, await simulation.run(seed));
    for (const seed of [...SEEDS].reverse()) expect(await simulation.run(seed)).toEqual(first.get(seed));
  },
  TIMEOUT_MS,
);

it('R11 another seed makes other choices', async () => {
  const simulation = new Simulation(databases());
  const [one, other] = [await simulation.run(1), await simulation.run(2)];
  expect(one.trace).not.toEqual(other.trace);
});
