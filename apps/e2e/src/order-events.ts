/** What an operator of the broker may do to the events of orders: read them, publish them once more, take them away. */
import { randomUUID } from 'node:crypto';
import { jetstream, jetstreamManager, type JetStreamManager } from '@nats-io/jetstream';
import { connect, headers, type NatsConnection } from '@nats-io/transport-node';
import { natsLogin } from '@shop/stack';

const STREAM = 'EVENTS';
const KEPT = 'evt.order.>';
const LISTENER = 'fulfilment-evt-order';
/** Where the order service itself never publishes, so that its relay finds nothing that it has not written. */
const AGAIN = 'evt.order.from.order';

export interface OrderEvent {
  id: string;
  type: string;
  data: { tenant: string; orderId: string };
}

export class OrderEvents {
  private constructor(
    private readonly nats: NatsConnection,
    private readonly manager: JetStreamManager,
  ) {}

  static async open(natsUrl: string): Promise<OrderEvents> {
    const nats = await connect({ ...natsLogin(natsUrl), maxReconnectAttempts: -1 });
    return new OrderEvents(nats, await jetstreamManager(nats, { checkAPI: false }));
  }

  close(): Promise<void> {
    return this.nats.close();
  }

  /** All of them, in the order in which they were published. */
  async read(): Promise<OrderEvent[]> {
    const found: OrderEvent[] = [];
    for (let seq = 1; ; seq++) {
      // The next message of the subject from here on: those of other services are stepped over.
      const next = { seq, next_by_subj: KEPT };
      const message = await this.manager.streams.getMessage(STREAM, next);
      if (!message) return found;
      found.push(...message.json<OrderEvent[]>());
      seq = message.seq;
    }
  }

  /** Publishes them in this order, each in a message of its own, which the broker takes for a new one. */
  async publish(events: readonly OrderEvent[]): Promise<void> {
    const client = jetstream(this.nats);
    const batch = headers();
    batch.set('content-type', 'application/cloudevents-batch+json');
    for (const event of events) await client.publish(AGAIN, JSON.stringify([event]), { headers: batch });
  }

  /** Takes them out of the stream, which may get them again from whoever still has them. */
  async purge(): Promise<void> {
    await this.manager.streams.purge(STREAM, { filter: KEPT });
  }

  /** Of how many messages fulfilment has not said that it is done with them. */
  async unheard(): Promise<number> {
    const { num_pending, num_ack_pending } = await this.manager.consumers.info(STREAM, LISTENER);
    return num_pending + num_ack_pending;
  }
}

/** The same news under another id, as from a service that has forgotten which id it gave. */
export const renamed = (event: OrderEvent): OrderEvent => ({ ...event, id: randomUUID() });
