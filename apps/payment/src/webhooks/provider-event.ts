/**
 * An event of the payment provider: what we keep of it, and who works on it. Pure.
 *
 * An event is a hint. It says of which object there is news, and the news itself is read from the provider. So we keep
 * only ids, and an event that comes late, twice or in any order does no harm.
 */
import { PAYMENT_ID, TENANT } from '@shop/contracts';

export const eventStatuses = ['open', 'done', 'ignored'] as const;
export type EventStatus = (typeof eventStatuses)[number];

export interface ReceivedEvent {
  /** The provider's name for it. A repeat has the same one. */
  id: string;
  type: string;
  /** Of what there is news. */
  objectId: string;
  /** The intent of the payment that this is about, if it is about one. */
  intentId: string | null;
  /** Our payment, if the object names it. Both or none. */
  tenant: string | null;
  paymentId: string | null;
  /** When it was made at the provider, as ISO time. */
  createdAt: string;
}

/** An event that somebody works on. */
export interface StoredEvent extends ReceivedEvent {
  /** Counts from 1. */
  attempts: number;
}

/** `later` when the time has not come yet: the event is handed over again. `ignored` when it is none of ours. */
export type Handled = 'done' | 'later' | 'ignored';

/** Works on events of some types. It may get an event again, or two at once. */
export interface ProviderEventHandler {
  /** Whole types, or beginnings that end with a dot, such as `payout.`. */
  types: readonly string[];
  handle(event: StoredEvent): Promise<Handled>;
}

/** All handlers, as an array. */
export const PROVIDER_EVENT_HANDLERS = Symbol('PROVIDER_EVENT_HANDLERS');

const MAX_ID_LENGTH = 255;
const MAX_TYPE_LENGTH = 100;

/** Undefined for what is no event. Of a signed one only its form can be wrong. */
export function readEvent(
  content: unknown,
): { event: ReceivedEvent; isLive: boolean; account: string | undefined } | undefined {
  const { id, type, created, livemode, account, data } = membersOf(content);
  const object = membersOf(membersOf(data)['object']);
  // The object of `balance.available` has no id, nor have we a use for it.
  const objectId = object['id'] ?? '';
  const at = new Date(Number.isSafeInteger(created) ? (created as number) * 1_000 : Number.NaN);
  if (!isName(id, MAX_ID_LENGTH) || !isName(type, MAX_TYPE_LENGTH) || Number.isNaN(at.getTime())) return undefined;
  if (typeof objectId !== 'string' || objectId.length > MAX_ID_LENGTH) return undefined;
  const event = { id, type, objectId, intentId: intentIn(object), ...paymentIn(object), createdAt: at.toISOString() };
  return { event, isLive: livemode === true, account: typeof account === 'string' ? account : undefined };
}

/** Our payment, as the metadata of an object of the provider name it. */
export function paymentIn({ metadata }: { metadata?: unknown }): Pick<ReceivedEvent, 'tenant' | 'paymentId'> {
  const { tenant, paymentId } = membersOf(metadata);
  const isOurs =
    typeof tenant === 'string' && TENANT.test(tenant) && typeof paymentId === 'string' && PAYMENT_ID.test(paymentId);
  return isOurs ? { tenant, paymentId } : { tenant: null, paymentId: null };
}

/** The handlers of a type, and the name under which the type is counted: there are only a few of these names. */
export function handlersOf(
  handlers: readonly ProviderEventHandler[],
  type: string,
): { handlers: ProviderEventHandler[]; label: string } {
  const covers = (name: string): boolean => (name.endsWith('.') ? type.startsWith(name) : name === type);
  const found = handlers.filter(({ types }) => types.some(covers));
  const [first] = found;
  return { handlers: found, label: first?.types.find(covers) ?? OTHER_TYPE };
}

/** The name of all types that nobody handles, and of what is no event. */
export const OTHER_TYPE = 'other';

type Members = Record<string, unknown>;

const membersOf = (value: unknown): Members =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Members) : {};

const isName = (value: unknown, maxLength: number): value is string =>
  typeof value === 'string' && /^[\w.-]+$/.test(value) && value.length <= maxLength;

function intentIn(object: Members): string | null {
  const intent = object['object'] === 'payment_intent' ? object : object['payment_intent'];
  const id = typeof intent === 'string' ? intent : membersOf(intent)['id'];
  return isName(id, MAX_ID_LENGTH) ? id : null;
}
