/** How many statements the services have sent to PostgreSQL, and in how many round trips, by their own counters. */
import type { System } from '@shop/system';

export interface Statements {
  /** Undefined when the services do not count it. */
  statements: number | undefined;
  roundTrips: number | undefined;
}

export async function statementsOf(system: System): Promise<Statements> {
  const running = system.processes.filter(({ name, pid }) => name !== 'sandbox' && pid !== undefined);
  const texts = await Promise.all(
    running.map(async ({ managementUrl }) => {
      const response = await fetch(`${managementUrl}/metrics`);
      return response.ok ? response.text() : '';
    }),
  );
  return {
    statements: sumOf(texts, 'postgres_statements_total'),
    roundTrips: sumOf(texts, 'postgres_round_trips_total'),
  };
}

/** The counter's samples of all these pages in the Prometheus text format, added up; undefined where none has any. */
export function sumOf(pages: readonly string[], counter: string): number | undefined {
  const samples = pages.flatMap((page) =>
    page
      .split('\n')
      .map((line) => /^(\w+)(?:\{.*\})? (\S+)/.exec(line))
      .filter((match) => match?.[1] === counter)
      .map((match) => Number(match![2])),
  );
  return samples.length === 0 ? undefined : samples.reduce((sum, value) => sum + value, 0);
}
