/** Timers are rows: any replica finds the sagas whose deadline has passed, and calls the engine. */
import type { Logger } from '@shop/observability';
import type { Database } from '@shop/postgres';
import { Repeating } from '@shop/resilience';
import type { SagaEngine } from './saga.engine';
import { findDue } from './open-sagas.repository';

export interface DeadlinesOptions {
  database: Database;
  engine: SagaEngine;
  logger: Logger;
  /** How often to look. A deadline is at most this late. */
  intervalMs?: number;
}

const DEFAULT_INTERVAL_MS = 500;
/** The most sagas that one round wakes. The others follow in the next round. */
const MAX_DUE = 500;

export class Deadlines {
  private readonly looking: Repeating;

  constructor(private readonly options: DeadlinesOptions) {
    this.looking = new Repeating(() => this.wakeDue(), {
      everyMs: options.intervalMs ?? DEFAULT_INTERVAL_MS,
      onFailure: (error) => this.tell(error),
    });
  }

  /**
   * The first look is at once. Otherwise a service that always dies soon after its start would never wake its sagas.
   */
  start(): void {
    this.looking.start();
  }

  stop(): Promise<void> {
    return this.looking.stop();
  }

  /** Looks once for sagas whose deadline has passed. */
  wake(): Promise<void> {
    return this.wakeDue().catch((error: unknown) => this.tell(error));
  }

  /** Two replicas may find the same saga. The event of the second one does not fit any more and is dropped. */
  private async wakeDue(): Promise<void> {
    const { database, engine } = this.options;
    const due = await findDue(database, engine.known, MAX_DUE);
    await Promise.all(
      due.map(({ id, step, action, attempt }) =>
        engine.dispatch(id, { type: 'deadline-passed', step, action, attempt }),
      ),
    );
  }

  private tell(error: unknown): void {
    this.options.logger.warn({ reason: (error as Error).message }, 'saga.deadlines.failed');
  }
}
