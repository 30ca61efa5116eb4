/** Time that moves only when the scheduler moves it, in the databases too. */
import type { Statement } from '@shop/postgres';

/** Every run begins at the same instant. */
const START = Date.UTC(2030, 0, 1);

export class Clock {
  /** Milliseconds. */
  now = START;

  advance(ms: number): void {
    this.now += ms;
  }

  /** What is read of the time while `work` runs, and before it first waits, is this clock's. */
  reading<T>(work: () => T): T {
    const { now } = Date;
    Date.now = () => this.now;
    try {
      return work();
    } finally {
      Date.now = now;
    }
  }

  get iso(): string {
    return new Date(this.now).toISOString();
  }

  /** For traces, from the beginning of the run. */
  get elapsed(): string {
    return `${((this.now - START) / 1_000).toFixed(3)} s`;
  }
}

/**
 * Statements use this `now()` and this `random()`, because their schema is first in the search path. Defaults of columns use PostgreSQL's own
 * `now()`, because they were bound when the tables were made; no decision uses those columns.
 */
export const installClock = `
  create schema sim;
  create function sim.now() returns timestamptz stable language sql
    return current_setting('sim.now')::timestamptz;
  create function sim.random() returns double precision stable language sql return 0.5`;

export const SEARCH_PATH = 'sim, pg_catalog, public';

/** The first statement in each transaction. It travels with the other statements. */
export const setClock: Statement = {
  name: 'simulation.set-clock',
  text: `select set_config('sim.now', $1, true), set_config('lock_timeout', $2, true)`,
};
