/** Timers are rows: any replica finds the sagas whose deadline has passed and tells the engine. */
import type { Logger } from '@shop/observability';
import type { Database } from '@shop/postgres';
import type { SagaEngine } from './saga.engine';
import { findDue } from './saga.repository';

export interface DeadlinesOptions {
  database: Database;
  engine: SagaEngine;
  logger: Logger;
  /** How often to look; a deadline is late by at most this. */
  intervalMs?: number;
}

const DEFAULT_INTERVAL_MS = 500;
/** Most sagas woken in one round; the rest are next. */
const MAX_DUE = 500;

export class Deadlines {
  private timer?: NodeJS.Timeout;
  private stopped = false;
  private round: Promise<void> = Promise.resolve();

  constructor(private readonly options: DeadlinesOptions) {}

  /** Looks at once: a service that keeps dying soon after its start must not put its sagas off for ever. */
  start(): void {
    this.round = this.wake().then(() => this.schedule());
  }

  async stop(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.timer);
    await this.round;
  }

  private schedule(): void {
    if (this.stopped) return;
    this.timer = setTimeout(() => {
      this.round = this.wake().then(() => this.schedule());
    }, this.options.intervalMs ?? DEFAULT_INTERVAL_MS);
  }

  /** One look. Two replicas may find the same saga: the second one's event no longer fits it and is dropped. */
  async wake(): Promise<void> {
    const { database, engine, logger } = this.options;
    try {
      const due = await findDue(database, engine.known, MAX_DUE);
      await Promise.all(
        due.map(({ id, step, action, attempt }) =>
          engine.dispatch(id, { type: 'deadline-passed', step, action, attempt }),
        ),
      );
    } catch (error) {
      if (!this.stopped) logger.warn({ reason: (error as Error).message }, 'saga.deadlines.failed');
    }
  }
}
