/**
 * Sends events of an outside service to whoever wants them, signed, behind the answers and as badly as the settings say.
 *
 * Each delivery waits for its time and then for one of a few places. What was not answered with success is sent again
 * later, a bounded number of times. What waits here is lost when the process ends.
 */
import { counter, type Logger } from '@shop/observability';
import Stripe from 'stripe';
import { seeded } from '../faults/seeded';
import type { WebhookSettings } from './webhook-settings';

export interface PostedEvent {
  id: string;
  type: string;
}

export interface EventPostOptions {
  /** The header with the signature. */
  header: string;
  /** Until others are set, and again when these are taken back. */
  atStart: WebhookSettings | undefined;
  logger: Logger;
}

interface Delivery {
  event: PostedEvent;
  attempt: number;
  /** Those of its time. */
  settings: WebhookSettings;
}

/** A receiver that is away for long learns the rest by asking. */
const MAX_WAITING = 10_000;
/** Shuffled events are on their way at the same time. The others come one by one, so their order is kept until one fails. */
const SHUFFLED_IN_FLIGHT = 8;
const TIMEOUT_MS = 5_000;
/** Together a minute: long enough for a service that starts again. */
const MAX_ATTEMPTS = 8;
const FIRST_RETRY_MS = 250;
/** In this time, shuffled events overtake each other. */
const SHUFFLE_MS = 250;

const deliveries = counter('sandbox_webhook_deliveries_total', 'Events sent to their receivers', ['outcome']);

export class EventPost {
  private settings: WebhookSettings | undefined;
  private random = seeded(1);
  private ready: Delivery[] = [];
  private inFlight = 0;
  private readonly timers = new Set<NodeJS.Timeout>();
  private readonly stopped = new AbortController();

  constructor(private readonly options: EventPostOptions) {
    this.use(options.atStart);
  }

  current(): WebhookSettings | undefined {
    return this.settings;
  }

  /** For what happens from now on. What waits is not sent any more: the other address may not be there. */
  use(settings: WebhookSettings | undefined): void {
    this.forgetWaiting();
    this.settings = settings;
    this.random = seeded(settings?.seed ?? 1);
  }

  reset(): void {
    this.use(this.options.atStart);
  }

  /** False when events are off. */
  send(event: PostedEvent): boolean {
    if (!this.settings?.enabled) return false;
    for (let sent = 0; sent < this.settings.repeat; sent += 1) this.plan(event, this.settings);
    return true;
  }

  stop(): void {
    this.stopped.abort();
    this.forgetWaiting();
  }

  private forgetWaiting(): void {
    this.ready = [];
    for (const timer of this.timers) clearTimeout(timer);
    this.timers.clear();
  }

  /** Draws the same numbers whatever the settings are, so that one setting does not change what another one does. */
  private plan(event: PostedEvent, settings: WebhookSettings): void {
    const { delayMs, jitterMs, shuffle, dropRate } = settings;
    const [jitter, overtaking, fate] = [this.random(), this.random(), this.random()];
    if (fate < dropRate) return void deliveries.inc({ outcome: 'lost' });
    this.wait({ event, attempt: 1, settings }, delayMs + jitter * jitterMs + (shuffle ? overtaking * SHUFFLE_MS : 0));
  }

  private wait(delivery: Delivery, ms: number): void {
    if (this.stopped.signal.aborted || delivery.settings !== this.settings) return;
    if (this.timers.size + this.ready.length >= MAX_WAITING) return this.giveUp(delivery, 'too many wait');
    const timer = setTimeout(() => {
      this.timers.delete(timer);
      this.ready.push(delivery);
      this.next();
    }, ms);
    this.timers.add(timer);
  }

  private next(): void {
    if (this.inFlight >= (this.settings?.shuffle ? SHUFFLED_IN_FLIGHT : 1)) return;
    const delivery = this.ready.shift();
    if (!delivery) return;
    this.inFlight += 1;
    void this.deliver(delivery).finally(() => {
      this.inFlight -= 1;
      this.next();
    });
  }

  private async deliver(delivery: Delivery): Promise<void> {
    const { attempt } = delivery;
    const outcome = await this.post(delivery);
    if (this.stopped.signal.aborted) return;
    if (outcome === 'accepted') return void deliveries.inc({ outcome });
    deliveries.inc({ outcome: 'refused' });
    if (attempt >= MAX_ATTEMPTS) return this.giveUp(delivery, outcome);
    this.wait({ ...delivery, attempt: attempt + 1 }, FIRST_RETRY_MS * 2 ** (attempt - 1));
  }

  private async post({ event, settings: { url, secret } }: Delivery): Promise<string> {
    const payload = JSON.stringify(event);
    const signature = Stripe.webhooks.generateTestHeaderString({ payload, secret });
    try {
      const response = await fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json', [this.options.header]: signature },
        body: payload,
        redirect: 'manual',
        signal: AbortSignal.any([AbortSignal.timeout(TIMEOUT_MS), this.stopped.signal]),
      });
      await response.body?.cancel();
      return response.ok ? 'accepted' : `answered with ${response.status}`;
    } catch (error) {
      return (error as Error).message;
    }
  }

  private giveUp({ event, attempt }: Delivery, reason: string): void {
    deliveries.inc({ outcome: 'given_up' });
    const line = { eventId: event.id, eventType: event.type, attempt, reason };
    this.options.logger.warn(line, 'sandbox.webhook.given_up');
  }
}
