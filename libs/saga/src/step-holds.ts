/**
 * The steps that people hold, as this replica last read them. An order costs no statement for it: each replica reads the
 * table every second. So a hold that was placed at another replica is kept here at the latest a second later.
 */
import { gauge, type Logger } from '@shop/observability';
import type { Database } from '@shop/postgres';
import { endedWithin, Repeating } from '@shop/resilience';
import type { StepHeld } from './decide-batch';
import { readHolds, type StepHold } from './step-holds.repository';

export interface StepHoldsOptions {
  database: Database;
  logger: Logger;
  /** The greatest age of what is remembered. */
  intervalMs?: number;
}

const DEFAULT_INTERVAL_MS = 1_000;
/** Who starts while the database is away moves no saga either. */
const FIRST_READ_WITHIN_MS = 3_000;

const heldSteps = gauge('saga_held_steps', 'Steps of saga definitions that people hold, in all tenants');

export class StepHolds implements StepHeld {
  private holds = new Map<string, Pick<StepHold, 'by' | 'reason'>>();
  private readonly reading: Repeating;
  private begun = 0;
  /** The number of the reading that is remembered. */
  private newest = 0;

  constructor(private readonly options: StepHoldsOptions) {
    this.reading = new Repeating(() => this.refresh(), {
      everyMs: options.intervalMs ?? DEFAULT_INTERVAL_MS,
      // What was held is held until the database says otherwise.
      onFailure: (error) => options.logger.warn({ reason: (error as Error).message }, 'saga.holds.unread'),
    });
  }

  /** Resolves when the holds are known, or cannot be read for the moment. Before that, no saga should move. */
  async start(): Promise<void> {
    const first = this.refresh().catch((error: unknown) =>
      this.options.logger.warn({ reason: (error as Error).message }, 'saga.holds.unread'),
    );
    await endedWithin(first, FIRST_READ_WITHIN_MS);
    this.reading.start({ now: false });
  }

  stop(): Promise<void> {
    return this.reading.stop();
  }

  of(tenant: string, definition: string, step: string): Pick<StepHold, 'by' | 'reason'> | undefined {
    return this.holds.size === 0 ? undefined : this.holds.get(keyOf(tenant, definition, step));
  }

  /** Readings may overtake each other: that of the timer, and that of who has just held a step here. */
  async refresh(): Promise<void> {
    const number = ++this.begun;
    const held = await readHolds(this.options.database);
    if (number < this.newest) return;
    this.newest = number;
    this.holds = new Map(
      held.map(({ tenant, definition, step, by, reason }) => [keyOf(tenant, definition, step), { by, reason }]),
    );
    heldSteps.set(held.length);
  }
}

/** No name of a step or definition has a slash in it, and no tenant. */
const keyOf = (tenant: string, definition: string, step: string): string => `${tenant}/${definition}/${step}`;
