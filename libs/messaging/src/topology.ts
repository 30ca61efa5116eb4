/**
 * Streams and consumers as code: created when they are needed, brought up to date, created again if the broker has
 * lost them.
 */
import {
  AckPolicy,
  type ConsumerConfig,
  DeliverPolicy,
  DiscardPolicy,
  type JetStreamManager,
  RetentionPolicy,
  StorageType,
  type StreamConfig,
  type StreamInfo,
} from '@nats-io/jetstream';
import { nanos } from '@nats-io/transport-node';
import { GATHER_MS } from '@shop/postgres';

/** If nobody took a command or reply for a day, its saga has sent it again many times. */
const MAX_AGE_MS = 24 * 60 * 60 * 1_000;
/** The broker's disk is limited; the saga's deadline sends again what a full stream has dropped. */
const MAX_STREAM_BYTES = 1_024 * 1_024 * 1_024;
/** Without an ack or a sign of work for this long, a message is delivered again. */
export const ACK_WAIT_MS = 10_000;
/**
 * JetStream messages (each a batch) that may be in work at once, over all replicas of a service. The broker hands them
 * out in the order in which they came, and the lanes take turns between tenants. So there is room for the commands of
 * all orders that may be open.
 */
const MAX_ACK_PENDING = 4_096;
/**
 * A lane that handles a mailbox gathers under load. Its queue is longer than what the broker delivers at once: work
 * that is refused because the queue is full would come back as a message that failed. Messages may also wait longer
 * than a client would.
 */
export const MAILBOX_LANE = { maxWaiting: 100_000, maxWaitMs: 30_000, gatherMs: GATHER_MS };

/**
 * Nobody asks for an event again, so it is kept for listeners that were away, and published again if it is lost
 * meanwhile.
 */
export const EVENTS_MAX_AGE_MS = 3 * MAX_AGE_MS;
export const EVENT_STREAM = 'EVENTS';

const queue = { retention: RetentionPolicy.Workqueue, maxAgeMs: MAX_AGE_MS };
interface StreamShape {
  name: string;
  subjects: string[];
  retention: RetentionPolicy;
  maxAgeMs: number;
}

const streams: Record<string, StreamShape> = {
  cmd: { name: 'COMMANDS', subjects: ['cmd.>'], ...queue },
  reply: { name: 'REPLIES', subjects: ['reply.>'], ...queue },
  evt: {
    name: EVENT_STREAM,
    subjects: ['evt.>'],
    retention: RetentionPolicy.Limits,
    maxAgeMs: EVENTS_MAX_AGE_MS,
  },
};

export interface ConsumerName {
  stream: string;
  durable: string;
}

/** For a mailbox of events, `evt.order@mailer`, each listener has a consumer of its own. */
export function consumerOf(mailbox: string): ConsumerName {
  const [source, listener] = mailbox.split('@');
  const durable = source!.replaceAll('.', '-');
  return { stream: streamOf(mailbox).name, durable: listener ? `${listener}-${durable}` : durable };
}

/** Creates the stream that keeps this mailbox, or brings it up to date. */
export async function ensureStream(manager: JetStreamManager, mailbox: string): Promise<StreamInfo> {
  const { name, subjects, retention, maxAgeMs } = streamOf(mailbox);
  const config: Partial<StreamConfig> & { name: string } = {
    name,
    subjects,
    retention,
    storage: StorageType.File,
    discard: DiscardPolicy.Old,
    max_age: nanos(maxAgeMs),
    max_bytes: MAX_STREAM_BYTES,
  };
  try {
    return await manager.streams.add(config);
  } catch (error) {
    // It exists already, perhaps with the settings of another version.
    return manager.streams.update(name, config).catch(() => {
      // Only the orchestrator may change a stream. To others, one that is there is good enough.
      return manager.streams.info(name).catch(() => Promise.reject(error));
    });
  }
}

/** Creates the stream of the mailbox and its durable consumer. All replicas of a service share the consumer. */
export async function ensureConsumer(manager: JetStreamManager, mailbox: string): Promise<ConsumerName> {
  await ensureStream(manager, mailbox);
  const { stream, durable } = consumerOf(mailbox);
  const config: Partial<ConsumerConfig> = {
    durable_name: durable,
    filter_subject: filterOf(mailbox),
    ack_policy: AckPolicy.Explicit,
    deliver_policy: DeliverPolicy.All,
    ack_wait: nanos(ACK_WAIT_MS),
    max_ack_pending: MAX_ACK_PENDING,
    // In a work queue, a message above this limit would never leave; we count deliveries ourselves.
    max_deliver: -1,
  };
  await manager.consumers.add(stream, config);
  return { stream, durable };
}

/** All that comes to the mailbox, from whomever. */
export const filterOf = (mailbox: string): string => `${mailbox.split('@', 1)[0]}.>`;

export function streamOf(mailbox: string): StreamShape {
  const stream = streams[mailbox.split('.', 1)[0]!];
  if (!stream) throw new Error(`no stream keeps the mailbox ${mailbox}`);
  return stream;
}
