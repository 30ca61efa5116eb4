/**
 * Hands the open events to their handlers. Every replica does so, each with other events: a row is taken for the time of
 * a lease, and whoever finishes names its attempt. An event that came in this process is looked at at once.
 */
import { counter, inTraceOf, type Logger } from '@shop/observability';
import type { Database } from '@shop/postgres';
import { Repeating, withTimeout } from '@shop/resilience';
import { type Handled, handlersOf, type ProviderEventHandler, type StoredEvent } from './provider-event';
import { finishAttempt, takeOpen } from './provider-events.repository';

export interface EventWorkerOptions {
  database: Database;
  handlers: readonly ProviderEventHandler[];
  logger: Logger;
  /** How often to look without being woken. */
  intervalMs?: number;
}

const DEFAULT_INTERVAL_MS = 500;
/** The most events in work at once. The provider is asked about each, and others need its calls too. */
const MAX_IN_WORK = 16;
/** Less than the lease, so that seldom two work on one event. */
const HANDLE_WITHIN_MS = 20_000;
const LEASE_SECONDS = 25;
/** The last error is for a person, and may have any text of the provider in it. */
const MAX_ERROR_LENGTH = 300;

const attempts = counter('provider_event_attempts_total', 'Attempts to work on an event, by what came of them', [
  'type',
  'outcome',
]);

export class EventWorker {
  private readonly looking: Repeating;
  private readonly inWork = new Set<Promise<void>>();
  /** The look that goes on; one at a time. */
  private look?: Promise<void>;
  private isAsked = false;
  private stopped = false;

  constructor(private readonly options: EventWorkerOptions) {
    const { intervalMs = DEFAULT_INTERVAL_MS } = options;
    this.looking = new Repeating(() => this.lookNow(), { everyMs: intervalMs, onFailure: this.onFailure });
  }

  start(): void {
    this.looking.start();
  }

  async stop(): Promise<void> {
    this.stopped = true;
    await this.looking.stop();
    await this.look?.catch(() => undefined);
    await Promise.all(this.inWork);
  }

  /** Call it when there is a new event. Without it, the event is found a little later. */
  wake(): void {
    if (!this.stopped) this.lookNow().catch(this.onFailure);
  }

  private lookNow(): Promise<void> {
    this.isAsked = true;
    this.look ??= this.takeAll().finally(() => (this.look = undefined));
    return this.look;
  }

  /** Whoever asks while a look goes on gets one more look. */
  private async takeAll(): Promise<void> {
    while (this.isAsked && !this.stopped) {
      this.isAsked = false;
      const free = MAX_IN_WORK - this.inWork.size;
      if (free === 0) return;
      const taken = await takeOpen(this.options.database, free, LEASE_SECONDS);
      for (const event of taken) this.begin(event);
    }
  }

  private begin(event: StoredEvent): void {
    const work = inTraceOf('work on event', undefined, () => this.workOn(event))
      .catch(this.onFailure)
      .finally(() => {
        this.inWork.delete(work);
        // All places were taken, so there may be more.
        if (this.inWork.size === MAX_IN_WORK - 1) this.wake();
      });
    this.inWork.add(work);
  }

  private async workOn(event: StoredEvent): Promise<void> {
    const { database, logger } = this.options;
    const { handlers, label } = handlersOf(this.options.handlers, event.type);
    const { handled, error } = await this.attempt(handlers, event);
    const wanted = handled === 'later' ? 'open' : handled;
    const status = await finishAttempt(database, event, wanted, error);
    const ids = { eventId: event.id, type: event.type, attempt: event.attempts };
    if (status === undefined) return;
    const outcome = status === 'ignored' && wanted === 'open' ? 'given_up' : error === null ? handled : 'failed';
    attempts.inc({ type: label, outcome });
    if (outcome === 'given_up') logger.error({ ...ids, reason: error }, 'provider_event.given_up');
    else if (status === 'open') logger.debug({ ...ids, reason: error }, 'provider_event.put_off');
    else logger.info({ ...ids, paymentId: event.paymentId }, `provider_event.${status}`);
  }

  private async attempt(
    handlers: readonly ProviderEventHandler[],
    event: StoredEvent,
  ): Promise<{ handled: Handled; error: string | null }> {
    try {
      const all = Promise.all(handlers.map((handler) => handler.handle(event)));
      const results = await withTimeout(all, HANDLE_WITHIN_MS, 'the work on the event');
      return { handled: togetherOf(results), error: null };
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      return { handled: 'later', error: text.slice(0, MAX_ERROR_LENGTH) };
    }
  }

  private readonly onFailure = (error: unknown): void =>
    this.options.logger.warn({ reason: (error as Error).message }, 'provider_event.look.failed');
}

function togetherOf(results: readonly Handled[]): Handled {
  if (results.includes('later')) return 'later';
  return results.includes('done') ? 'done' : 'ignored';
}
