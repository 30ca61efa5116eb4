/**
 * The stream of events for its only publisher on a subject: what the stream still has, and publishing behind exactly
 * that.
 */
import type { ConsumerInfo, JetStreamManager, StreamInfo } from '@nats-io/jetstream';
import { headers, millis } from '@nats-io/transport-node';
import type { Broker } from './broker';
import { batchHeaders, subjectOf } from './message';
import { ensureStream, EVENT_STREAM, EVENTS_MAX_AGE_MS } from './topology';

export interface StreamState {
  /** A stream with another time is another stream. */
  created: string;
  firstSequence: number;
  /** Of the last message on our subject; 0 when there is none. */
  ownSequence: number;
  /**
   * Consumers that remember more than the stream has, because it was rolled back and they were not: they would skip
   * what is published next under the same sequences.
   */
  consumersAhead: string[];
  /** What was published within this time is surely not dropped for its age, and worth being published again. */
  keepsMs: number;
  /** It may have dropped its oldest messages to make room. */
  isShortOfRoom: boolean;
}

/** What we know of the stream: the last sequence that it acknowledged to us, and when it was created. */
export interface KnownStream {
  sequence: number;
  streamCreated: string | null;
}

/**
 * The sequence above which the stream has lost what it acknowledged to us; undefined when nothing is lost. If the
 * stream has more than we know of, nothing is lost: a relay was killed between the acknowledgement and recording it.
 *
 * Below its first message a stream has nothing. What was there was dropped for its age, or to make room, or somebody
 * purged it. `missing` is the oldest of our sequences there that is too young to have been dropped for its age. It was
 * purged, unless the stream is short of room. Then it is not published again: it would drive out what is there now.
 */
export function lostAbove(
  known: KnownStream & { missing?: number },
  stream: Pick<StreamState, 'created' | 'firstSequence' | 'ownSequence' | 'isShortOfRoom'>,
): number | undefined {
  if (known.streamCreated !== stream.created) return 0;
  if (known.missing !== undefined && !stream.isShortOfRoom) return known.missing - 1;
  if (known.sequence < stream.firstSequence) return undefined;
  return stream.ownSequence < known.sequence ? stream.ownSequence : undefined;
}

/** The clocks of the broker and of our database may differ by less than this. */
const CLOCKS_DIFFER_MS = 60 * 60_000;

/** An operator may have given the stream another age; 0 is none. */
export function keptMs(maxAgeMs: number): number {
  const ageMs = maxAgeMs > 0 ? Math.min(maxAgeMs, EVENTS_MAX_AGE_MS) : EVENTS_MAX_AGE_MS;
  return ageMs - Math.min(CLOCKS_DIFFER_MS, ageMs / 2);
}

/**
 * A stream that drops its oldest messages to make room is at one of its limits. Afterwards others may be dropped for
 * their age. So one that is more than half full is taken for one that may have done it.
 */
export function isShortOfRoom({ config, state }: Pick<StreamInfo, 'config' | 'state'>): boolean {
  const isHalfFull = (used: number, limit: number): boolean => limit > 0 && used > limit / 2;
  return (
    isHalfFull(state.bytes, config.max_bytes) ||
    isHalfFull(state.messages, config.max_msgs) ||
    config.max_msgs_per_subject > 0
  );
}

export class EventStream {
  private readonly subject: string;

  constructor(
    private readonly broker: Broker,
    private readonly mailbox: string,
  ) {
    this.subject = subjectOf(mailbox);
  }

  /** Creates the stream if it does not exist. */
  async ask(): Promise<StreamState> {
    const manager = await this.broker.manager();
    // The consumers first: otherwise one that gets a new message in between would look as if it were ahead.
    const consumers = await this.consumers(manager);
    const info = await manager.streams.info(EVENT_STREAM).catch(() => ensureStream(manager, this.mailbox));
    const { created, state, config } = info;
    const last = await manager.streams.getMessage(EVENT_STREAM, { last_by_subj: this.subject });
    return {
      created,
      firstSequence: state.first_seq,
      ownSequence: last?.seq ?? 0,
      consumersAhead: consumers
        .filter(({ delivered }) => delivered.stream_seq > state.last_seq)
        .map(({ name }) => name),
      keepsMs: keptMs(millis(config.max_age)),
      isShortOfRoom: isShortOfRoom(info),
    };
  }

  /** Their services create them again and get every event again; their ledgers recognise the repeats. */
  async dropConsumers(names: readonly string[]): Promise<void> {
    const manager = await this.broker.manager();
    for (const name of names) await manager.consumers.delete(EVENT_STREAM, name);
  }

  /**
   * Returns the sequence that the broker acknowledged. The broker refuses if `ownSequence` is not the last one on our
   * subject: then the stream has lost something since it was asked, or somebody else has published.
   */
  async publish(payload: Buffer, ownSequence: number, timeoutMs: number): Promise<number> {
    // New headers each time: the client adds the expected sequence to those that it is given.
    const own = headers();
    for (const [name, value] of batchHeaders) own.set(name, value);
    const options = { headers: own, timeout: timeoutMs, retries: 0, expect: { lastSubjectSequence: ownSequence } };
    const { seq } = await this.broker.jetstream().publish(this.subject, payload, options);
    return seq;
  }

  /** What the broker takes as one message, in bytes. */
  get largestPayload(): number {
    return this.broker.nats.info?.max_payload ?? Infinity;
  }

  private async consumers(manager: JetStreamManager): Promise<ConsumerInfo[]> {
    const found: ConsumerInfo[] = [];
    try {
      for await (const consumer of manager.consumers.list(EVENT_STREAM)) found.push(consumer);
    } catch {
      // There is no stream, so no consumer is ahead of it. Any other error meets the next request to the broker too.
    }
    return found;
  }
}
