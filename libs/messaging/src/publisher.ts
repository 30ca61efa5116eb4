/** Sends messages: what leaves for one mailbox at the same time travels as one JetStream message. */
import type { JetStreamClient } from '@nats-io/jetstream';
import { headers, type MsgHdrs } from '@nats-io/transport-node';
import { Lane } from '@shop/postgres';
import type { Broker } from './broker';
import { batchHeaders, encodeBatch, type Message, subjectOf } from './message';
import { ensureStream } from './topology';

const PUBLISH_TIMEOUT_MS = 5_000;
/** More batches on the way than this would only wait in the broker. */
const BATCHES_IN_FLIGHT = 4;
const MAX_WAITING = 20_000;

export class Publisher {
  private readonly lanes = new Map<string, Lane<Message, undefined>>();
  private readonly headers: MsgHdrs = headers();
  private client?: JetStreamClient;

  constructor(private readonly broker: Broker) {
    for (const [name, value] of batchHeaders) this.headers.set(name, value);
  }

  /**
   * Resolves when the broker has acknowledged the message, which proves little (it syncs its disk later), and rejects
   * when it has not. Callers never depend on it: what was lost is sent again by the saga's deadline.
   */
  async send(mailbox: string, message: Message): Promise<void> {
    await this.laneOf(mailbox).submit(message);
  }

  private laneOf(mailbox: string): Lane<Message, undefined> {
    let lane = this.lanes.get(mailbox);
    if (!lane) {
      lane = new Lane({
        run: (batch) => this.publish(mailbox, batch),
        concurrency: BATCHES_IN_FLIGHT,
        maxWaiting: MAX_WAITING,
        failsTogether: () => true,
      });
      this.lanes.set(mailbox, lane);
    }
    return lane;
  }

  /** What the broker takes as one message, in bytes. */
  private get largestPayload(): number {
    return this.broker.nats.info?.max_payload ?? Infinity;
  }

  private async publish(mailbox: string, batch: Message[]): Promise<undefined[]> {
    this.client ??= this.broker.jetstream();
    // No message id for the broker's own duplicate check: it may refuse a retry of what it never kept.
    const options = { headers: this.headers, timeout: PUBLISH_TIMEOUT_MS, retries: 0 };
    const payload = encodeBatch(batch);
    if (batch.length > 1 && Buffer.byteLength(payload) > this.largestPayload) {
      const half = batch.length >> 1;
      await this.publish(mailbox, batch.slice(0, half));
      await this.publish(mailbox, batch.slice(half));
      return batch.map(() => undefined);
    }
    try {
      await this.client.publish(subjectOf(mailbox), payload, options);
    } catch {
      // A broker that was wiped has no stream for this; one that was away may be back.
      await ensureStream(await this.broker.manager(), mailbox);
      await this.client.publish(subjectOf(mailbox), payload, options);
    }
    return batch.map(() => undefined);
  }
}
