/**
 * How a service hears the events of others: it claims each event in the ledger under the id of the event, and notes it in
 * the same transaction. So an event that comes again, however late, is noted once.
 *
 * Events that arrive together are one batch and one transaction, as commands are. Nobody waits for an answer.
 */
import { answerWith, fingerprintOf, type Idempotency, runOnce } from '@shop/idempotency';
import { bodyOf, type Delivery, type EventType, MAILBOX_LANE, type Message, Replies, tenantOf } from '@shop/messaging';
import { counter, currentSpan } from '@shop/observability';
import { type Database, Lane, type Tx } from '@shop/postgres';
import { RetryableError, TerminalError } from '@shop/resilience';

/** An event that was read from its message. */
export interface Heard<Body extends object = object> {
  id: string;
  /** `<service>.<name>.v<version>` */
  type: string;
  /** When it happened, by the database of who tells it. RFC 3339; absent from a sender that did not say. */
  time?: string;
  /** The `traceparent` that what follows from it goes on in. */
  trace?: string;
  body: Body;
}

export interface EventHandler<State> {
  event: EventType<object>;
  /** Pure: it changes `state` for the events after it, and nothing else. It is not called for an event that was noted before. */
  note: (state: State, event: Heard) => void;
}

/** What a service makes of the events that it hears, and how the rows that they need are loaded and saved. */
export interface EventSet<State> {
  handlers: readonly EventHandler<State>[];
  /** Reads the rows that these events need, and locks them in key order. */
  load: (tx: Tx, events: readonly Heard[]) => Promise<State>;
  /** Sends the changes of the handlers. */
  save: (tx: Tx, state: State) => void;
  /** More failures that mean a lost race, such as the unique index of a row that was not there to be locked. */
  retryOn?: (error: unknown) => boolean;
}

export function onEvent<State, Body extends object>(
  event: EventType<Body>,
  note: (state: State, event: Heard<Body>) => void,
): EventHandler<State> {
  // The body of each event was checked against the class of this event before it comes here.
  return { event, note } as unknown as EventHandler<State>;
}

interface Noting<State> {
  event: Heard;
  handler: EventHandler<State>;
  tenant: string;
  fingerprint: Buffer;
}

const NOTED = answerWith(204, null);

const events = counter('listener_events_total', 'Events of other services, by what came of them', ['outcome']);

export class Listener<State = unknown> {
  private readonly lane: Lane<Noting<State>, string>;
  private readonly handlers: ReadonlyMap<string, EventHandler<State>>;

  /** @param service its name: the scope of the events in its ledger */
  constructor(
    private readonly service: string,
    private readonly database: Database,
    private readonly idempotency: Idempotency,
    private readonly set: EventSet<State>,
  ) {
    this.handlers = new Map(set.handlers.map((handler) => [handler.event.type, handler]));
    this.lane = new Lane({
      ...MAILBOX_LANE,
      name: 'events',
      turnOf: ({ tenant }) => tenant,
      run: (batch) => this.noteBatch(batch),
    });
  }

  take(deliveries: readonly Delivery[]): Replies {
    return Replies.each(deliveries, async ({ message, suspect }) => {
      await this.note(message, { alone: suspect });
      return undefined;
    });
  }

  /**
   * @throws RetryableError while somebody else notes it; TerminalError when it cannot be read, or when its id was another
   * event. The consumer keeps such an event as a dead letter, for a person.
   */
  async note(message: Message, options: { alone?: boolean } = {}): Promise<void> {
    const { id, type, time, data } = message;
    const handler = this.handlers.get(type);
    // Whoever tells it does so for others too.
    if (!handler) return events.inc({ outcome: 'not_ours' });
    const body = bodyOf(handler.event, message);
    if (!body.ok) throw new TerminalError(`the event ${type} cannot be read`);
    const trace = currentSpan()?.traceparent;
    const noting = { event: { id, type, time, trace, body: body.value }, handler, fingerprint: fingerprintOf(data) };
    const kind = await this.lane.submit({ ...noting, tenant: tenantOf(message) ?? '' }, options);
    events.inc({ outcome: kind });
    if (kind === 'in-use') throw new RetryableError('the event is being noted by somebody else');
    if (kind === 'reused') throw new TerminalError('the id of the event was that of another event');
  }

  private async noteBatch(batch: readonly Noting<State>[]): Promise<string[]> {
    const { set, database, idempotency, service } = this;
    const works = batch.map(({ event: { id, type }, fingerprint }) => ({
      claim: { scope: `${service}/${type}`, key: id, fingerprint },
    }));
    const outcomes = await runOnce<State>(
      database,
      idempotency.ledger,
      works,
      {
        load: (tx) =>
          set.load(
            tx,
            batch.map(({ event }) => event),
          ),
        decide: (state, index) => {
          const { handler, event } = batch[index]!;
          handler.note(state, event);
          return NOTED;
        },
        save: (tx, state) => set.save(tx, state),
      },
      { retryOn: (error) => set.retryOn?.(error) ?? false },
    );
    return outcomes.map(({ kind }) => kind);
  }
}
