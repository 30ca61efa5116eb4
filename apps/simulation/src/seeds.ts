/** What the tests over seeds share: their databases, their time, and how a failure is told. */
import { closeDatabases, type Databases, openDatabases } from './databases';
import { type Run, tell } from './simulation';

/** For some hundred seeds of a quarter of a second each, on a machine that is eight times as busy. */
export const SWEEP_TIMEOUT_MS = 900_000;
/** The first file of a run waits for PostgreSQL. */
const START_TIMEOUT_MS = 240_000;

/** To be called at the top of a test file. */
export function useDatabases(): () => Databases {
  let databases: Databases | undefined;
  beforeAll(async () => {
    databases = await openDatabases();
  }, START_TIMEOUT_MS);
  afterAll(() => databases && closeDatabases(databases));
  return () => databases!;
}

/** @throws Error with the whole trace of the run, and how to repeat it */
export function expectNoFault(run: Run): void {
  if (run.faults.length === 0) return;
  throw new Error(
    `${tell(run)}\n\nAgain: SIMULATION_SEED=${run.seed} npx jest --selectProjects @shop/simulation --testPathPatterns /seeds`,
  );
}
