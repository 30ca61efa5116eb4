/**
 * The stream of events for its only publisher on a subject: what the stream still has, and publishing behind exactly
 * that.
 */
import type { ConsumerInfo, JetStreamManager } from '@nats-io/jetstream';
import { headers } from '@nats-io/transport-node';
import type { Broker } from './broker';
import { batchHeaders, subjectOf } from './message';
import { ensureStream, EVENT_STREAM } from './topology';

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
}

/**
 * The sequence above which the stream has lost what it acknowledged to us; undefined when nothing is lost. If the
 * stream has more than we know of, nothing is lost: a relay was killed between the acknowledgement and recording it.
 */
export function lostAbove(
  known: { sequence: number; streamCreated: string | null },
  stream: Pick<StreamState, 'created' | 'firstSequence' | 'ownSequence'>,
): number | undefined {
  if (known.streamCreated !== stream.created) return 0;
  // Our last message is older than the oldest one that is kept: the stream has dropped it for its age, as it should.
  if (known.sequence < stream.firstSequence) return undefined;
  return stream.ownSequence < known.sequence ? stream.ownSequence : undefined;
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
    const { created, state } = await manager.streams
      .info(EVENT_STREAM)
      .catch(() => ensureStream(manager, this.mailbox));
    const last = await manager.streams.getMessage(EVENT_STREAM, { last_by_subj: this.subject });
    return {
      created,
      firstSequence: state.first_seq,
      ownSequence: last?.seq ?? 0,
      consumersAhead: consumers
        .filter(({ delivered }) => delivered.stream_seq > state.last_seq)
        .map(({ name }) => name),
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
