/**
 * The spans of messages. Each message names in its `traceparent` the span that has sent it, so whoever takes it goes on
 * there: in another process, after a crash, or when it is delivered again. What travels as one batch has a span for each
 * message.
 */
import {
  bounded,
  currentSpan,
  isTracing,
  isUnrecorded,
  newTraceparent,
  type Span,
  spanIdOf,
  startSpan,
} from '@shop/observability';
import type { Tx } from '@shop/postgres';
import type { Message } from './message';

const attributesOf = ({ id, type, subject }: Message, operation: string, mailbox?: string) => ({
  'messaging.system': 'nats',
  'messaging.operation.type': operation,
  'messaging.operation.name': operation,
  'messaging.destination.name': mailbox,
  'messaging.message.id': bounded(id),
  'messaging.message.conversation_id': bounded(subject),
  'shop.message.type': bounded(type),
});

/** Handles a message as a span, which is the parent of all that follows from it, its reply included. */
export async function processing(
  { message, mailbox }: { message: Message; mailbox?: string },
  handle: () => Promise<Message | undefined>,
): Promise<Message | undefined> {
  const span = isTracing()
    ? startSpan(`process ${bounded(message.type)}`, {
        kind: 'consumer',
        parent: message.traceparent ?? null,
        attributes: () => attributesOf(message, 'process', mailbox),
      })
    : undefined;
  if (!span) return handle();
  const reply = await span.over(handle);
  return reply && { ...reply, traceparent: span.traceparent };
}

/** The message as it leaves, and its span, which ends when it has left. */
export function sending(mailbox: string, message: Message): { message: Message; span?: Span } {
  if (!isTracing() || message.traceparent === undefined) return { message };
  const span = startSpan(`send ${message.type}`, {
    kind: 'producer',
    parent: message.traceparent,
    attributes: () => attributesOf(message, 'send', mailbox),
  })!;
  return { message: { ...message, traceparent: span.traceparent }, span };
}

export function endSent(spans: readonly Span[], batch: readonly Message[]): void {
  for (const span of spans) {
    span.set({ 'messaging.batch.message_count': batch.length });
    span.end();
  }
}

/** Events as they are written into the outbox. Their spans exist when the transaction does. */
export function creating(tx: Pick<Tx, 'afterCommit'>, events: readonly Message[]): readonly Message[] {
  if (!isTracing()) return events;
  return events.map((event) => {
    const parent = event.traceparent ?? currentSpan()?.traceparent;
    if (parent === undefined) return event;
    const traceparent = newTraceparent(parent);
    const options = { kind: 'producer', parent, spanId: spanIdOf(traceparent) } as const;
    tx.afterCommit(() => {
      startSpan(`create ${event.type}`, { ...options, attributes: () => attributesOf(event, 'create') })?.end();
    });
    return { ...event, traceparent };
  });
}

const IN_JSON = /"traceparent":"(00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2})"/;
/** More links than this are cut off by default. */
const MAX_LINKS = 128;

/** Publishes a batch of the outbox, whose events are text. The span is in the trace of one of them, with links to all. */
export function publishing<T>(mailbox: string, events: readonly string[], publish: () => Promise<T>): Promise<T> {
  if (!isTracing()) return publish();
  const links = events.flatMap((event) => IN_JSON.exec(event)?.[1] ?? []);
  const parent = links.find((link) => !isUnrecorded(link));
  if (parent === undefined) return publish();
  const span = startSpan(`publish ${mailbox}`, {
    kind: 'producer',
    parent,
    links: links.slice(0, MAX_LINKS),
    attributes: {
      'messaging.system': 'nats',
      'messaging.operation.type': 'send',
      'messaging.operation.name': 'publish',
      'messaging.destination.name': mailbox,
      'messaging.batch.message_count': events.length,
    },
  })!;
  return span.over(publish);
}
