/**
 * Counts the sagas that somebody should look at, every few seconds and in every replica: parked sagas, sagas of a
 * definition version that this replica does not know, and sagas that wait for a customer or a provider. The numbers are stored and not read for each request for metrics,
 * so the metrics are available while the database is away.
 */
import { gauge, type Logger } from '@shop/observability';
import type { Database } from '@shop/postgres';
import { Repeating } from '@shop/resilience';
import type { SagaEngine } from './saga.engine';
import { countSagas } from './saga.repository';

export interface SagaCensusOptions {
  database: Database;
  engine: SagaEngine;
  logger: Logger;
  /** The greatest age of the numbers. */
  intervalMs?: number;
}

const DEFAULT_INTERVAL_MS = 5_000;

const parkedSagas = gauge('saga_parked', 'Sagas that wait for a person');
const waitingSagas = gauge('saga_waiting', 'Sagas that wait for a customer or a provider to act');
const unknownVersions = gauge('saga_unknown_versions', 'Open sagas of a definition version that this replica lacks');

export class SagaCensus {
  private readonly counting: Repeating;

  constructor({ database, engine, logger, intervalMs = DEFAULT_INTERVAL_MS }: SagaCensusOptions) {
    const count = async () => {
      const { parked, unknown, waiting } = await countSagas(database, engine.known);
      parkedSagas.set(parked);
      waitingSagas.set(waiting);
      unknownVersions.set(unknown);
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
}
