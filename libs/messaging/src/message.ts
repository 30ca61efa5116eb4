/** The envelope: CloudEvents 1.0 in JSON, several of them in one JetStream message (CloudEvents JSON batch format). */

/** Names as on the wire; CloudEvents allows only lower-case letters and digits for extension attributes. */
export interface Message<Body = unknown> {
  specversion: '1.0';
  /** Unique; a message that is sent again keeps its id. */
  id: string;
  /** What it is, with its version: `inventory.reserve-stock.v1`. */
  type: string;
  /** The service that sends it. */
  source: string;
  /** The saga that it belongs to: the correlation id. */
  subject: string;
  /** The message that caused this one. */
  causationid?: string;
  /** The mailbox that waits for the reply. */
  replyto?: string;
  /**
   * Of a command: the replica that waits for the reply and may get it directly. Without it the reply goes to the
   * mailbox.
   */
  replica?: string;
  /** Of an undo: the id of the command that it undoes. */
  undoes?: string;
  traceparent?: string;
  /** Of a reply: whose data it is about. A command says it in its body. */
  tenant?: string;
  /** Of an event: when it happened, RFC 3339. */
  time?: string;
  datacontenttype: 'application/json';
  data: Body;
}

export const BATCH_CONTENT_TYPE = 'application/cloudevents-batch+json';
export const batchHeaders: readonly [name: string, value: string][] = [['content-type', BATCH_CONTENT_TYPE]];

/** Where a service takes its commands. */
export const commandMailbox = (service: string): string => `cmd.${service}`;
/** Where a service takes the replies to the commands of its sagas. */
export const replyMailbox = (service: string): string => `reply.${service}`;
export const takesReplies = (mailbox: string): boolean => mailbox.startsWith('reply.');
/** Where a service publishes its events. */
export const eventMailbox = (service: string): string => `evt.${service}`;
/** Where `listener` takes the events of a service; each listener gets all of them. */
export const eventsFor = (listener: string, service: string): string => `${eventMailbox(service)}@${listener}`;
/**
 * The batches of a mailbox have messages of several types, so its subject names none of them. For events; releases
 * before the subjects named their sender sent commands and replies here too.
 */
export const subjectOf = (mailbox: string): string => `${mailbox}.batch`;
/** For the commands and replies of one sender: the broker lets only its user publish here. */
export const subjectFrom = (mailbox: string, sender: string): string => `${mailbox}.from.${sender}`;
/** For what an operator replays: it is tried alone, and once. */
export const replaySubjectOf = (mailbox: string): string => `${mailbox}.replay`;
/** Where one replica takes messages for a mailbox without the stream of the mailbox: no stream keeps this subject. */
export const shortWayOf = (mailbox: string, replica: string, sender: string): string =>
  `direct.${mailbox}.${replica}.from.${sender}`;

const SENDER = /\.from\.([\w-]+)$/;

/**
 * The subject tells who has sent a batch, because the broker enforces it; a message only claims it. The owner of the
 * mailbox may hand itself what it has taken from others, and replay it. The broker delivers what somebody pulls to any
 * address that he names, but with the subject on which it was published: so another mailbox in it is refused.
 */
export function isFromItsSender(mailbox: string, subject: string, messages: readonly Message[]): boolean {
  const [own] = mailbox.split('@', 1) as [string];
  // A release before the senders were named; no user of the broker may publish commands and replies there now.
  if (subject === replaySubjectOf(own) || subject === subjectOf(own)) return true;
  const isOurs = subject.startsWith(`${own}.`) || subject.startsWith(`direct.${own}.`);
  const sender = SENDER.exec(subject)?.[1];
  if (!isOurs || sender === undefined) return false;
  return own.endsWith(`.${sender}`) || messages.every(({ source }) => source === sender);
}

const REPLICA = /^[\w-]{1,64}$/;
const MAILBOX = /^(cmd|reply)\.[\w-]{1,64}$/;
/** An address from outside may be any text. One that the broker's client refuses would make the whole batch fail. */
export const isMailbox = (address: unknown): boolean => typeof address === 'string' && MAILBOX.test(address);
export const isReplica = (name: unknown): name is string => typeof name === 'string' && REPLICA.test(name);

const TENANT = /^[\w.-]{1,64}$/;

/** The tenant of a message: commands name it in their body, replies on the envelope. */
export function tenantOf(message: Message): string | undefined {
  const named = message.tenant ?? (message.data as { tenant?: unknown } | undefined)?.tenant;
  return typeof named === 'string' && TENANT.test(named) ? named : undefined;
}

export function newMessage<Body>(message: Omit<Message<Body>, 'specversion' | 'datacontenttype'>): Message<Body> {
  return { specversion: '1.0', ...message, datacontenttype: 'application/json' };
}

export function encodeBatch(messages: readonly Message[]): string {
  return JSON.stringify(messages);
}

/**
 * JSON with thousands of levels can be read but not written again, so such a message could neither be sent on nor put
 * away. Real bodies have a few levels.
 */
const MAX_NESTING = 100;

/** Thrown when the bytes of a JetStream message are no batch of CloudEvents; it does not help to deliver them again. */
export class UnreadableBatchError extends Error {
  constructor(reason: string, cause?: unknown) {
    super(`unreadable message batch: ${reason}`, { cause });
    this.name = 'UnreadableBatchError';
  }
}

export function decodeBatch(text: string): Message[] {
  const batch = eventsIn(text);
  if (!batch.every(isMessage)) throw new UnreadableBatchError('an element is no CloudEvent of ours');
  if (!batch.every(hasFitForm)) throw new UnreadableBatchError('nested too deeply');
  return batch;
}

/** The elements of a batch, whatever they are. @throws UnreadableBatchError */
export function eventsIn(text: string): unknown[] {
  let batch: unknown;
  try {
    batch = JSON.parse(text);
  } catch (cause) {
    throw new UnreadableBatchError('not JSON', cause);
  }
  if (!Array.isArray(batch)) throw new UnreadableBatchError('not an array');
  return batch;
}

/** It is a CloudEvent of ours, and can be written again. */
export const hasFitForm = (value: unknown): value is Message => isMessage(value) && isNestedWithin(MAX_NESTING, value);

function isNestedWithin(levels: number, value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return true;
  return levels > 0 && Object.values(value).every((part) => isNestedWithin(levels - 1, part));
}

function isMessage(value: unknown): value is Message {
  const { specversion, id, type, source, subject, data } = (value ?? {}) as Record<string, unknown>;
  return (
    specversion === '1.0' &&
    [id, type, source, subject].every((text) => typeof text === 'string' && text.length > 0) &&
    typeof data === 'object' &&
    data !== null
  );
}
