/** Tests over ranges of seeds: each file takes one, so that they can run side by side. */
import { closeDatabases, type Databases, openDatabases } from './databases';
import { Simulation, tell } from './simulation';

/** A seed takes some tens of milliseconds; the rest is for a busy machine. */
const TIMEOUT_MS = 600_000;
/** The first file of a run waits for PostgreSQL. */
const START_TIMEOUT_MS = 240_000;

export interface SeedRange {
  first: number;
  last: number;
}

/** With `SIMULATION_SEED=123`, or `1000-9999`, the file that begins with seed 1 runs these seeds instead; the other files run none. */
export function simulateSeeds(range: SeedRange): void {
  const asked = process.env.SIMULATION_SEED;
  const { first, last } = asked === undefined ? range : readRange(asked);
  const mine = asked === undefined || range.first === 1;
  const databases = useDatabases();

  (mine ? it : it.skip)(
    `R11 R10 R4 seeds ${first} to ${last}: whatever is lost, repeated, late or killed, all comes out even`,
    async () => {
      const seeds = Array.from({ length: last - first + 1 }, (_, index) => first + index);
      const failure = await new Simulation(databases()).firstFailure(seeds);
      if (!failure) return;
      throw new Error(
        `${tell(failure)}\n\nAgain: SIMULATION_SEED=${failure.seed} npx jest --selectProjects @shop/simulation`,
      );
    },
    TIMEOUT_MS,
  );
}

/** To be called at the top of a test file. */
export function useDatabases(): () => Databases {
  let databases: Databases | undefined;
  beforeAll(async () => {
    databases = await openDatabases();
  }, START_TIMEOUT_MS);
  afterAll(() => databases && closeDatabases(databases));
  return () => databases!;
}

function readRange(text: string): SeedRange {
  const [, first, last = first] = /^(\d+)(?:-(\d+))?$/.exec(text) ?? [];
  if (first === undefined) throw new Error('SIMULATION_SEED is a seed, such as 123, or a range, such as 1000-9999');
  return { first: Number(first), last: Number(last) };
}
