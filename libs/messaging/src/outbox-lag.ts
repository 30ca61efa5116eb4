/** How far the outbox is behind: events that are written and that the broker has not acknowledged. */
import { gauge, type Logger } from '@shop/observability';
import type { Database } from '@shop/postgres';
import { Repeating } from '@shop/resilience';
import { readOutboxLag } from './outbox';

const LOOK_EVERY_MS = 5_000;
/** Counting more would cost more than it tells. */
const MAX_COUNTED = 10_000;

const waiting = gauge(
  'outbox_waiting_events',
  `Events that are not published yet, counted up to ${MAX_COUNTED}; each replica reports all of them`,
);
const oldest = gauge(
  'outbox_oldest_waiting_seconds',
  'The time since the oldest event that is not published was written',
);

export class OutboxLag {
  private readonly looking: Repeating;

  constructor(database: Database, logger: Logger) {
    const look = async () => {
      const { events, oldestSeconds } = await readOutboxLag(database, MAX_COUNTED);
      waiting.set(events);
      oldest.set(Math.max(0, oldestSeconds ?? 0));
    };
    this.looking = new Repeating(look, {
      everyMs: LOOK_EVERY_MS,
      onFailure: (error) => logger.warn({ reason: (error as Error).message }, 'outbox.lag.unknown'),
    });
  }

  start(): void {
    this.looking.start();
  }

  stop(): Promise<void> {
    return this.looking.stop();
  }
}
