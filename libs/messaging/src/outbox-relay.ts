/**
 * Publishes what is in the outbox, in order, and publishes again what the stream turns out to have lost.
 *
 * Every replica runs a relay; the one that holds the lease publishes. It reads a batch behind the last place that was
 * acknowledged, publishes it as one message, and records place and sequence together. If it is killed in between, the
 * next relay publishes the batch again: an event is never lost, and sometimes published twice.
 *
 * Each message is published with the last sequence that we know of on our subject, and the broker checks it. So a
 * stream that was wiped or rolled back is noticed at the next message; without messages, the relay asks from time to
 * time. Then the place goes back to where the stream ends, and everything behind it is published again.
 */
import { randomUUID } from 'node:crypto';
import { counter, type Logger } from '@shop/observability';
import type { Database } from '@shop/postgres';
import { type Backoff, delayOf } from '@shop/resilience';
import type { Broker } from './broker';
import { EventStream, lostAbove } from './event-stream';
import { eventMailbox } from './message';
import { publishing } from './message-spans';
import {
  claimRelay,
  findBelow,
  findExpired,
  type OutboxRow,
  type Progress,
  readOutbox,
  recordBatch,
  releaseRelay,
  removeBatches,
  removeEvents,
  rewind,
  startOver,
} from './outbox';
import { EVENTS_MAX_AGE_MS } from './topology';

export interface OutboxRelayOptions {
  /** Whose events these are. */
  service: string;
  database: Database;
  broker: Broker;
  logger: Logger;
}

/** Events that are read at once and published as one message; no more are in memory, however many wait. */
const MAX_BATCH = 500;
/** The wait after a hint: what is committed meanwhile goes along, so a busy service publishes a few times a second. */
const GATHER_MS = 100;
/** How often a relay looks without a hint; each look is one statement. */
const POLL_MS = 2_000;
/** After a relay was killed, the others wait for this long. */
const LEASE_MS = 5_000;
const PUBLISH_TIMEOUT_MS = 2_000;
/** How often the stream is asked what it has while nothing is published. */
const CHECK_MS = 5_000;
const REAP_MS = 10 * 60_000;
const REAP_EVENTS = 1_000;
const retry: Backoff = { firstMs: 100, maxMs: 10_000, factor: 2 };
/** The wait while an older transaction is open. */
const lookAgain: Backoff = { firstMs: 50, maxMs: POLL_MS, factor: 2 };

const published = counter('outbox_events_published_total', 'Events acknowledged by the broker, repeats included');
const lost = counter('outbox_batches_lost_total', 'Acknowledged batches that the stream has lost; they are sent again');

/** How long to wait, and whether a hint shortens the wait. */
interface Rest {
  forMs: number;
  hears: boolean;
}

export class OutboxRelay {
  private readonly token = randomUUID();
  private readonly stream: EventStream;
  /** What we know under the lease, and until when the lease surely holds. */
  private held?: { progress: Progress; untilMs: number };
  /** The last sequence on our subject; unknown after any failure. */
  private ownSequence?: number;
  private checkAtMs = 0;
  private reapAtMs = 0;
  private failures = 0;
  private delays = 0;
  private hinted = false;
  private stopped = false;
  private resting?: { hears: boolean; endAfter: (ms: number) => void };
  private running: Promise<void> = Promise.resolve();

  constructor(private readonly options: OutboxRelayOptions) {
    this.stream = new EventStream(options.broker, eventMailbox(options.service));
    options.broker.onReconnect(() => {
      // It may be another server by now, or the same one without its disk.
      this.ownSequence = undefined;
      this.resting?.endAfter(0);
    });
  }

  start(): void {
    this.running = this.run();
  }

  /**
   * Finishes the current round. What is left in the outbox is published by another replica, or after the next start.
   */
  async stop(): Promise<void> {
    this.stopped = true;
    this.resting?.endAfter(0);
    await this.running;
    if (this.held) await releaseRelay(this.options.database, this.token).catch(() => undefined);
  }

  /** Call it after a commit that wrote events. It costs nothing, and an event is published, later, without it too. */
  wake(): void {
    if (this.hinted) return;
    this.hinted = true;
    if (this.resting?.hears) this.resting.endAfter(GATHER_MS);
  }

  private async run(): Promise<void> {
    while (!this.stopped) await this.rest(await this.round());
  }

  private rest({ forMs, hears }: Rest): Promise<void> {
    if (this.stopped) return Promise.resolve();
    return new Promise((resolve) => {
      const end = () => {
        this.resting = undefined;
        resolve();
      };
      let timer = setTimeout(end, hears && this.hinted ? Math.min(GATHER_MS, forMs) : forMs);
      const endAfter = (ms: number) => {
        clearTimeout(timer);
        timer = setTimeout(end, ms);
      };
      this.resting = { hears, endAfter };
    });
  }

  private async round(): Promise<Rest> {
    const { hinted } = this;
    this.hinted = false;
    // Nothing can be published; `onReconnect` ends this rest.
    if (!this.options.broker.isConnected) return { forMs: POLL_MS, hears: false };
    try {
      const progress = await this.hold();
      // There was a hint, but another replica has the lease: it publishes the events.
      if (!progress) return { forMs: POLL_MS, hears: !hinted };
      const rest = await this.publishNext(await this.checked(progress));
      const reaped = await this.reapSome();
      this.failures = 0;
      return reaped ? rest : { forMs: Math.min(rest.forMs, GATHER_MS), hears: true };
    } catch (error) {
      this.held = undefined;
      this.ownSequence = undefined;
      const waitMs = delayOf(retry, ++this.failures);
      this.options.logger.warn({ reason: (error as Error).message, waitMs }, 'outbox.relay.failed');
      return { forMs: waitMs, hears: false };
    }
  }

  /** How far the outbox is published, if this replica has the lease. */
  private async hold(): Promise<Progress | undefined> {
    const now = performance.now();
    if (this.held && now < this.held.untilMs) return this.held.progress;
    const anyway = now >= Math.min(this.checkAtMs, this.reapAtMs);
    const { token } = this;
    const { database, logger } = this.options;
    const claim = { token, leaseMs: LEASE_MS, anyway };
    let claimed = await claimRelay(database, claim);
    if (claimed?.foreign) {
      logger.warn('outbox.database.changed');
      claimed = (await startOver(database, token)) ? await claimRelay(database, claim) : undefined;
    }
    // Somebody else has published since: then our sequence is not the last one any more.
    if (claimed?.progress.sequence !== this.ownSequence) this.ownSequence = undefined;
    this.held = claimed && { progress: claimed.progress, untilMs: heldUntil(now) };
    return this.held?.progress;
  }

  /** Asks the stream what it has, if we do not know or asked long ago, and goes back to where the stream ends. */
  private async checked(progress: Progress): Promise<Progress> {
    if (this.ownSequence !== undefined && performance.now() < this.checkAtMs) return progress;
    const stream = await this.stream.ask();
    if (stream.consumersAhead.length > 0) {
      // Before anything is published: after that, nobody can tell any more which consumers were ahead.
      await this.stream.dropConsumers(stream.consumersAhead);
      this.options.logger.warn({ consumers: stream.consumersAhead }, 'outbox.consumers.dropped');
    }
    const { database, logger } = this.options;
    const { firstSequence, keepsMs } = stream;
    const missing = await findBelow(database, { firstSequence, withinMs: keepsMs });
    const keptSequence = lostAbove({ ...progress, missing }, stream);
    this.ownSequence = stream.ownSequence;
    this.checkAtMs = performance.now() + CHECK_MS;
    if (keptSequence === undefined) return progress;
    const { token } = this;
    const back = await rewind(database, { token, keptSequence, streamCreated: stream.created, withinMs: keepsMs });
    if (!back) throw new Error('somebody else has taken the relay over');
    if (back.batches > 0) {
      const { batches } = back;
      lost.inc(batches);
      logger.warn({ keptSequence, hadSequence: progress.sequence, batches }, 'outbox.events.lost');
    }
    this.held = { progress: back.progress, untilMs: this.held!.untilMs };
    return back.progress;
  }

  private async publishNext(progress: Progress): Promise<Rest> {
    const rows = await readOutbox(this.options.database, progress, MAX_BATCH);
    const behind = rows.findIndex(({ event }) => event === null);
    const complete = behind === -1 ? rows : rows.slice(0, behind);
    if (complete.length === 0) return this.restBehind(rows);
    this.delays = 0;
    const { batch, payload } = this.fit(complete);
    const sequence = await publishing(
      eventMailbox(this.options.service),
      batch.map(({ event }) => event!),
      () => this.stream.publish(payload, this.ownSequence!, PUBLISH_TIMEOUT_MS),
    );
    published.inc(batch.length);
    const upto = batch.at(-1)!;
    const now = performance.now();
    const { token } = this;
    const ours = await recordBatch(this.options.database, {
      token,
      leaseMs: LEASE_MS,
      after: progress,
      upto,
      sequence,
    });
    if (!ours) throw new Error('somebody else has taken the relay over');
    this.ownSequence = sequence;
    this.checkAtMs = now + CHECK_MS;
    const { xid, position } = upto;
    this.held = { progress: { ...progress, xid, position, sequence }, untilMs: heldUntil(now) };
    const more = batch.length < rows.length || rows.length === MAX_BATCH;
    return more ? { forMs: 0, hears: true } : { forMs: POLL_MS, hears: true };
  }

  /**
   * There is no complete event: either there is none at all, or an older transaction is open and may still write
   * before it.
   */
  private restBehind(rows: readonly OutboxRow[]): Rest {
    if (rows.length === 0) this.delays = 0;
    return rows.length === 0
      ? { forMs: POLL_MS, hears: true }
      : { forMs: delayOf(lookAgain, ++this.delays), hears: false };
  }

  /** As many events as the broker takes in one message. */
  private fit(rows: readonly OutboxRow[]): { batch: readonly OutboxRow[]; payload: Buffer } {
    const payload = Buffer.from(`[${rows.map(({ event }) => event).join()}]`);
    if (rows.length === 1 || payload.length <= this.stream.largestPayload) return { batch: rows, payload };
    return this.fit(rows.slice(0, rows.length >> 1));
  }

  /** Removes some of the events that the stream has dropped for their age; false if there are more of them. */
  private async reapSome(): Promise<boolean> {
    if (performance.now() < this.reapAtMs) return true;
    const { database, logger } = this.options;
    const expired = await findExpired(database, EVENTS_MAX_AGE_MS);
    if (!expired) {
      this.reapAtMs = performance.now() + REAP_MS;
      return true;
    }
    const removed = await removeEvents(database, expired, REAP_EVENTS);
    // The batches last: they say which events may be removed.
    if (removed < REAP_EVENTS) await removeBatches(database, expired.sequence);
    if (removed > 0) logger.info({ removed }, 'outbox.reaped');
    return false;
  }
}

/** We stop before the lease ends in the database, by the time that publishing may take. */
const heldUntil = (askedAtMs: number): number => askedAtMs + LEASE_MS - PUBLISH_TIMEOUT_MS;
