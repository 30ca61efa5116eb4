/** What is measured of the messages that come in: how many, what came of them, and how long they took. */
import { counter, histogram } from '@shop/observability';

/** `answered`: done and acknowledged. `returned`: it comes again later. */
export type Outcome = 'answered' | 'returned';
/** By way of the stream, or directly from the process that replies. */
export type Way = 'stream' | 'short';

/** A batch may hold calls to a slow provider. */
const BATCH_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 120];

const LABELS = ['mailbox', 'way', 'outcome'] as const;
const messages = counter('messaging_messages_received_total', 'Messages that were taken, by what came of them', LABELS);
const seconds = histogram(
  'messaging_batch_duration_seconds',
  'Time from taking a batch of messages until the last of them is done',
  LABELS,
  BATCH_SECONDS,
);

export interface Received {
  mailbox: string;
  way: Way;
  outcome: Outcome;
  /** How many messages were in the batch. */
  count: number;
  /** By `performance.now()`. */
  tookAtMs: number;
}

export function measureReceived({ mailbox, way, outcome, count, tookAtMs }: Received): void {
  const labels = { mailbox, way, outcome };
  messages.inc(labels, count);
  seconds.observe(labels, (performance.now() - tookAtMs) / 1_000);
}
