/** The stream of events as its only publisher on a subject sees it: what it still has, and publishing onto exactly that. */
import type { ConsumerInfo, JetStreamManager } from '@nats-io/jetstream';
import { headers } from '@nats-io/transport-node';
import type { Broker } from './broker';
import { batchHeaders, subjectOf } from './message';
import { ensureStream, EVENT_STREAM } from './topology';

export interface StreamState {
  /** Another time is another stream. */
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
 * The sequence above which the stream has lost what it acknowledged to us; undefined when nothing is lost. A stream that
 * has more than we know of is no loss: somebody was killed between the acknowledgement and noting it.
 */
export function lostAbove(
  known: { sequence: number; streamCreated: string | null },
  stream: Pick<StreamState, 'created' | 'firstSequence' | 'ownSequence'>,
): number | undefined {
  if (known.streamCreated !== stream.created) return 0;
  // Our last message is older than the oldest one that is kept: the stream has let go of it, as it should.
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

  /** Makes the stream when it is not there. */
  async ask(): Promise<StreamState> {
    const manager = await this.broker.manager();
    // Before the stream, or a consumer that has just been given the newest message would look as if it were ahead.
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

  /** The services behind them make them anew, and are given everything; their ledgers know the repeats. */
  async dropConsumers(names: readonly string[]): Promise<void> {
    const manager = await this.broker.manager();
    for (const name of names) await manager.consumers.delete(EVENT_STREAM, name);
  }

  /**
   * Answers the sequence that the broker acknowledged. It refuses when `ownSequence` is not what stands last on our subject:
   * the stream has lost something since it was asked, or somebody else has published.
   */
  async publish(payload: Buffer, ownSequence: number, timeoutMs: number): Promise<number> {
    // Anew each time: the client adds the expectation to the headers that it is given.
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
      // There is no stream, so nobody is ahead of it; whatever else it was, the next question meets it too.
    }
    return found;
  }
}
