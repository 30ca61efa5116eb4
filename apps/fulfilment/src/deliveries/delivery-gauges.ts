/** Measures what an operator has to know of deliveries: how long the oldest one waits, and how many are parked. */
import { gauge, type Logger } from '@shop/observability';
import type { Database, Statement } from '@shop/postgres';
import { Repeating } from '@shop/resilience';

const EVERY_MS = 5_000;
/** More need not be counted to know that something is wrong. */
const MAX_COUNTED = 10_000;

const oldest = gauge('delivery_oldest_waiting_seconds', 'The time since the oldest delivery was to be handed over');
const parked = gauge('delivery_parked', 'Deliveries that the carrier has refused, and nobody has tried again');

export class DeliveryGauges {
  private readonly measuring: Repeating;

  constructor(database: Database, logger: Logger) {
    const measure = async () => {
      const [row] = await database.query<{ seconds: number; parked: number }>(standing, [MAX_COUNTED]);
      oldest.set(row!.seconds);
      parked.set(row!.parked);
    };
    const onFailure = (error: unknown) =>
      logger.warn({ reason: (error as Error).message }, 'delivery.measuring.failed');
    this.measuring = new Repeating(measure, { everyMs: EVERY_MS, onFailure });
  }

  start(): void {
    this.measuring.start();
  }

  stop(): Promise<void> {
    return this.measuring.stop();
  }
}

const standing: Statement = {
  name: 'delivery.standing',
  text: `
    select coalesce((select extract(epoch from now() - min(created_at)) from delivery
                     where status in ('waiting', 'handing_over')), 0)::float8 as seconds,
           (select count(*) from (select from delivery where status = 'parked' limit $1) as few) as parked`,
};
