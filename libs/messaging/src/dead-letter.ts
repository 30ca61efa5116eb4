/** A message that was given up on: what is kept of it, and how much. Pure functions. */
import { hash } from 'node:crypto';
import { type Message, tenantOf } from './message';
import { errorText, storable } from './own-fault';

/** `replayed`: it was sent to its mailbox once more. If it fails again, it is `open` again. */
export const deadLetterStates = ['open', 'replayed', 'discarded'] as const;
export type DeadLetterState = (typeof deadLetterStates)[number];

/** What an operator did about it. */
export interface Act {
  act: Exclude<DeadLetterState, 'open'>;
  by: string;
  reason: string;
  at: string;
}

export interface DeadLetter {
  id: string;
  mailbox: string;
  messageId: string;
  /** Null, like the saga and the tenant, if the message could not be read or has none. */
  type: string | null;
  saga: string | null;
  tenant: string | null;
  /** False for bytes that are no batch of messages. */
  readable: boolean;
  deliveries: number;
  /** It ended the process again and again. */
  killed: boolean;
  lastError: string;
  state: DeadLetterState;
  /** In bytes, before it was cut. */
  size: number;
  cut: boolean;
  acts: Act[];
  firstSeenAt: Date;
  lastSeenAt: Date;
}

export interface NewDeadLetter extends Pick<
  DeadLetter,
  'mailbox' | 'messageId' | 'type' | 'saga' | 'tenant' | 'readable' | 'deliveries' | 'killed' | 'lastError' | 'size'
> {
  /** At most MAX_CONTENT_BYTES. */
  content: Buffer;
  /** When the broker took it. */
  firstSeenAt: Date;
}

/** What a broker takes as one message by default. A larger message is cut: it can be looked at, but not replayed. */
const MAX_CONTENT_BYTES = 1_024 * 1_024;
const MAX_ID_LENGTH = 255;
const MAX_NAME_LENGTH = 200;

/** How a message that failed came here. */
export interface Arrival {
  mailbox: string;
  deliveries: number;
  firstSeenAt: Date;
}

export function letterOf(message: Message, error: unknown, killed: boolean, arrival: Arrival): NewDeadLetter {
  return {
    ...arrival,
    ...contentOf(Buffer.from(JSON.stringify(message))),
    messageId: keyOf(message),
    type: storable(message.type, MAX_NAME_LENGTH),
    saga: storable(message.subject, MAX_NAME_LENGTH),
    tenant: tenantOf(message) ?? null,
    readable: true,
    killed,
    lastError: errorText(error),
  };
}

/** For bytes that are no batch, or no event of ours; the same bytes are the same dead letter. */
export function letterOfBytes(bytes: Uint8Array, error: unknown, arrival: Arrival, tenant?: string): NewDeadLetter {
  return {
    ...arrival,
    ...contentOf(Buffer.from(bytes)),
    messageId: hashed(bytes),
    type: null,
    saga: null,
    tenant: tenant ?? null,
    readable: false,
    killed: false,
    lastError: errorText(error),
  };
}

/**
 * The name of a message in the tables of dead letters and trials: its id, or a hash if the tables cannot keep the id.
 */
export function keyOf({ id }: Pick<Message, 'id'>): string {
  return id.length <= MAX_ID_LENGTH && storable(id, MAX_ID_LENGTH) === id ? id : hashed(id);
}

/** What a replay sends to the mailbox. */
export function payloadOf({ readable }: Pick<DeadLetter, 'readable'>, content: Buffer): Buffer {
  return readable ? Buffer.concat([Buffer.from('['), content, Buffer.from(']')]) : content;
}

function contentOf(bytes: Buffer): { content: Buffer; size: number } {
  return { content: bytes.subarray(0, MAX_CONTENT_BYTES), size: bytes.length };
}

const hashed = (value: string | Uint8Array): string => `sha256:${hash('sha256', value, 'hex')}`;
