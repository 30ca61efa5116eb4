/**
 * Counts the open sagas by where they are, every few seconds and in every replica: how many, how old, and for how long
 * none of them has moved. Among them are those that somebody should look at: parked and held sagas, sagas of a
 * definition version that this replica does not know, and sagas that wait for a customer or a provider. The numbers are
 * stored and not read for each request for metrics, so the metrics are available while the database is away.
 */
import { gauge, type Logger } from '@shop/observability';
import type { Database } from '@shop/postgres';
import { Repeating } from '@shop/resilience';
import type { SagaEngine } from './saga.engine';
import { countSagas, type SagaGroup } from './open-sagas.repository';

export interface SagaCensusOptions {
  database: Database;
  engine: SagaEngine;
  logger: Logger;
  /** The greatest age of the numbers, as long as counting is quick. */
  intervalMs?: number;
}

const DEFAULT_INTERVAL_MS = 5_000;
/** With very many open sagas, counting takes this part of the time at most. */
const MAX_SHARE = 0.05;

const parkedSagas = gauge('saga_parked', 'Sagas that wait for a person');
const waitingSagas = gauge('saga_waiting', 'Sagas that wait for a customer or a provider to act');
const heldSagas = gauge('saga_held', 'Sagas that a person holds, or that stand at a step that is held');
const unknownVersions = gauge('saga_unknown_versions', 'Open sagas of a definition version that this replica lacks');

const PLACE = ['saga', 'step', 'action', 'status'] as const;
const openSagas = gauge('saga_open', 'Open sagas by where they are; each replica reports all of them', PLACE);
const oldest = gauge('saga_open_oldest_seconds', 'The time since the oldest of these open sagas began', PLACE);
const still = gauge('saga_open_still_seconds', 'The time since any of these open sagas has moved', PLACE);

type Place = Record<(typeof PLACE)[number], string>;

export class SagaCensus {
  private readonly counting: Repeating;
  /** Not before this time, by the monotonic clock of this process. */
  private againAt = 0;
  /** Those of the last count. A place that has become empty goes on to report 0. */
  private readonly places = new Map<string, Place>();

  constructor({ database, engine, logger, intervalMs = DEFAULT_INTERVAL_MS }: SagaCensusOptions) {
    const count = async () => {
      const began = performance.now();
      if (began < this.againAt) return;
      this.tell(await countSagas(database), engine.known);
      const ended = performance.now();
      this.againAt = ended + (ended - began) / MAX_SHARE;
    };
    this.counting = new Repeating(count, {
      everyMs: intervalMs,
      onFailure: (error) => logger.warn({ reason: (error as Error).message }, 'saga.census.failed'),
    });
  }

  start(): void {
    this.counting.start();
  }

  stop(): Promise<void> {
    return this.counting.stop();
  }

  private tell(groups: readonly SagaGroup[], known: readonly string[]): void {
    const countOf = (isOne: (group: SagaGroup) => boolean) =>
      groups.reduce((sum, group) => (isOne(group) ? sum + group.sagas : sum), 0);
    parkedSagas.set(countOf(({ status }) => status === 'parked'));
    heldSagas.set(countOf(({ status }) => status === 'held'));
    waitingSagas.set(countOf(({ status }) => status === 'waiting'));
    unknownVersions.set(countOf(({ definition, version }) => !known.includes(`${definition} v${version}`)));
    const places = totalsOf(groups);
    for (const [key, { labels }] of places) this.places.set(key, labels);
    for (const [key, labels] of this.places) {
      const group = places.get(key);
      openSagas.set(labels, group?.sagas ?? 0);
      oldest.set(labels, group?.oldestSeconds ?? 0);
      still.set(labels, group?.stillSeconds ?? 0);
    }
  }
}

/** Without the versions: all sagas of a definition that are at the same place are one group. */
function totalsOf(
  groups: readonly SagaGroup[],
): Map<string, { labels: Place; sagas: number; oldestSeconds: number; stillSeconds: number }> {
  const totals: ReturnType<typeof totalsOf> = new Map();
  for (const { definition: saga, step, action, status, ...of } of groups) {
    const labels = { saga, step, action, status };
    const key = Object.values(labels).join(' ');
    const other = totals.get(key);
    totals.set(key, {
      labels,
      sagas: of.sagas + (other?.sagas ?? 0),
      oldestSeconds: Math.max(of.oldestSeconds, other?.oldestSeconds ?? 0),
      stillSeconds: Math.min(of.stillSeconds, other?.stillSeconds ?? Infinity),
    });
  }
  return totals;
}
