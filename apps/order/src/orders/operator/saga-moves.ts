/**
 * Tells operators who look at it that sagas move, whichever replica moves them.
 *
 * Nothing is sent while nobody looks. A replica with somebody who looks says so to the others every few seconds, and they
 * tell it which sagas of that tenant have moved: ids and numbers only. What happened is then read from the history, a
 * batch at a time. So an order pays for this only while an operator watches, and then with one small message for a batch.
 */
import { Inject, Injectable, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import { Seats } from '@shop/idempotency';
import { Broker } from '@shop/messaging';
import type { Logger } from '@shop/observability';
import { Database } from '@shop/postgres';
import { Repeating } from '@shop/resilience';
import type { SagaChange } from '@shop/saga';
import { LOGGER } from '@shop/service';
import { isUUID } from 'class-validator';
import { type Move, readMoves, type SeenMove } from './saga-moves.repository';

/** Plain NATS, not JetStream: what is lost is not shown, and the lists show it anyway. */
const WATCHED = 'note.order.sagas-watched';
const MOVED = 'note.order.sagas-moved';
/** Streams of operators. Each stays for minutes. */
const LISTENING = { perTenant: 50, inAll: 200 };

const TELL_EVERY_MS = 2_000;
/** Three words may be lost until a tenant is forgotten. */
const WATCHED_FOR_MS = 7_000;
/** What has moved meanwhile is read at once. People do not see that it is a moment late. */
const READ_EVERY_MS = 200;
/** More moves than anybody can follow. The rest of a moment is left out, and the stream says that it is. */
const MAX_READ = 500;
/** Tenants beyond this are not watched. There are fewer seats. */
const MAX_TENANTS = 1_000;

/** What the column takes. */
const MAX_SEQ = 2 ** 31;

/** Undefined when some moves were left out. */
type Listener = (moves: readonly SeenMove[] | undefined) => void;

@Injectable()
export class SagaMoves implements OnModuleInit, OnModuleDestroy {
  /** True when the service is stopping. */
  stopped = false;
  readonly seats = new Seats(LISTENING);
  private readonly listeners = new Map<string, Set<Listener>>();
  /** By tenant: until when somebody looks, in whichever replica. */
  private readonly watched = new Map<string, number>();
  private pending: Move[] = [];
  private readonly leftOut = new Set<string>();
  private readonly telling: Repeating;
  private readonly reading: Repeating;
  private readonly ends = new Set<() => void>();

  constructor(
    private readonly broker: Broker,
    private readonly database: Database,
    @Inject(LOGGER) logger: Logger,
  ) {
    const onFailure = (error: unknown) => logger.warn({ reason: (error as Error).message }, 'saga.moves.unread');
    this.telling = new Repeating(() => Promise.resolve(this.tell()), { everyMs: TELL_EVERY_MS, onFailure });
    this.reading = new Repeating(() => this.read(), { everyMs: READ_EVERY_MS, onFailure });
  }

  onModuleInit(): void {
    this.broker.subscribe(WATCHED, (message) => this.watch(textsIn(message.string())));
    this.broker.subscribe(MOVED, (message) => {
      if (this.listeners.size > 0) this.take(movesIn(message.string()));
    });
    this.telling.start();
    this.reading.start();
  }

  async onModuleDestroy(): Promise<void> {
    this.stopped = true;
    for (const end of [...this.ends]) end();
    await Promise.all([this.telling.stop(), this.reading.stop()]);
  }

  /** Calls back with what moves from now on. Returns what ends it; `onEnd` is called when the service stops. */
  listen(tenant: string, listener: Listener, onEnd: () => void): () => void {
    const own = this.listeners.get(tenant) ?? new Set();
    this.listeners.set(tenant, own.add(listener));
    this.ends.add(onEnd);
    this.tell();
    return () => {
      this.ends.delete(onEnd);
      own.delete(listener);
      if (own.size === 0 && this.listeners.get(tenant) === own) this.listeners.delete(tenant);
    };
  }

  /** After the commit of these changes. */
  note(changes: readonly SagaChange[]): void {
    if (this.watched.size === 0) return;
    const now = performance.now();
    const moves = changes.flatMap(({ saga }) => {
      const { tenant } = saga.data as { tenant: string };
      return (this.watched.get(tenant) ?? 0) > now ? [{ tenant, sagaId: saga.id, seq: saga.version }] : [];
    });
    if (moves.length === 0) return;
    this.take(moves);
    const { nats } = this.broker;
    if (!nats.isClosed()) nats.publish(MOVED, JSON.stringify(moves));
  }

  /** Says for whom this replica listens, and forgets for whom nobody does. */
  private tell(): void {
    const tenants = [...this.listeners.keys()];
    this.watch(tenants);
    const now = performance.now();
    for (const [tenant, until] of this.watched) if (until < now) this.watched.delete(tenant);
    const { nats } = this.broker;
    if (tenants.length > 0 && !nats.isClosed()) nats.publish(WATCHED, JSON.stringify(tenants));
  }

  private watch(tenants: readonly string[]): void {
    for (const tenant of tenants) {
      if (this.watched.size < MAX_TENANTS || this.watched.has(tenant)) {
        this.watched.set(tenant, performance.now() + WATCHED_FOR_MS);
      }
    }
  }

  private take(moves: readonly Move[]): void {
    for (const move of moves) {
      if (!this.listeners.has(move.tenant)) continue;
      if (this.pending.length < MAX_READ) this.pending.push(move);
      else this.leftOut.add(move.tenant);
    }
  }

  private async read(): Promise<void> {
    if (this.pending.length === 0) return;
    const asked = this.pending;
    const leftOut = new Set(this.leftOut);
    this.pending = [];
    this.leftOut.clear();
    try {
      const byTenant = new Map<string, SeenMove[]>();
      for (const { tenant, ...move } of await readMoves(this.database, asked)) {
        byTenant.set(tenant, [...(byTenant.get(tenant) ?? []), move]);
      }
      for (const [tenant, moves] of byTenant) this.give(tenant, moves);
    } catch (error) {
      for (const { tenant } of asked) leftOut.add(tenant);
      throw error;
    } finally {
      for (const tenant of leftOut) this.give(tenant, undefined);
    }
  }

  private give(tenant: string, moves: readonly SeenMove[] | undefined): void {
    for (const listener of [...(this.listeners.get(tenant) ?? [])]) listener(moves);
  }
}

/** Bytes that are not ours, perhaps from a newer version or a stranger, are ignored: they only make us look. */
function listIn(text: string): unknown[] {
  try {
    const sent: unknown = JSON.parse(text);
    return Array.isArray(sent) ? sent : [];
  } catch {
    return [];
  }
}

const textsIn = (text: string): string[] => listIn(text).filter((one): one is string => typeof one === 'string');

const movesIn = (text: string): Move[] =>
  listIn(text).filter((one): one is Move => {
    const { tenant, sagaId, seq } = (one ?? {}) as Partial<Move>;
    return typeof tenant === 'string' && isUUID(sagaId) && Number.isInteger(seq) && seq! > 0 && seq! < MAX_SEQ;
  });
