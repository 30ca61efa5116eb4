/**
 * How many sagas are open and make work, by tenant: those of all replicas as they were last counted, and what this replica has begun
 * and ended since.
 */
import type { Logger } from '@shop/observability';
import type { Database } from '@shop/postgres';
import { Repeating } from '@shop/resilience';
import type { SagaChange } from './decide-batch';
import { isUnderWay, type SagaState } from './saga-state';
import { countOpen } from './open-sagas.repository';

export interface OpenSagasOptions {
  database: Database;
  logger: Logger;
  /** The greatest age of the numbers of other replicas. */
  intervalMs?: number;
}

const DEFAULT_INTERVAL_MS = 1_000;
/** The first reply to a saga takes some milliseconds. After this time, it has come to another replica, or comes late. */
const FIRST_REPLY_MS = 1_000;
/** Nobody has answered any of them for so long: whoever should is away, and does not only have much to do. */
const SILENCE_MS = 500;

export class OpenSagas {
  private counted = new Tally();
  private since = new Tally();
  /** By saga: when it was begun here, if it has not gone on since. Oldest first. */
  private readonly unmoved = new Map<string, number>();
  /** Since when some have waited, and none was answered. */
  private silentSince: number | undefined;
  private readonly counting: Repeating;
  private isCounting = false;
  private readonly listeners: (() => void)[] = [];

  constructor({ database, logger, intervalMs = DEFAULT_INTERVAL_MS }: OpenSagasOptions) {
    this.counting = new Repeating(() => this.count(database), {
      everyMs: intervalMs,
      onFailure: (error) => logger.warn({ reason: (error as Error).message }, 'saga.open.uncounted'),
    });
  }

  start(): void {
    this.counting.start();
  }

  stop(): Promise<void> {
    return this.counting.stop();
  }

  get total(): number {
    return this.counted.total + this.since.total;
  }

  of(tenant: string): number {
    return this.counted.of(tenant) + this.since.of(tenant);
  }

  /**
   * Those that were begun here, and wait for their first reply, or turned back before it came. None while nobody
   * answers: they wait for a service that is away, and hold up nobody.
   */
  get begun(): number {
    if (this.silentSince !== undefined && performance.now() - this.silentSince > SILENCE_MS) return 0;
    for (const [id, since] of this.unmoved) {
      if (performance.now() - since < FIRST_REPLY_MS) break;
      this.unmoved.delete(id);
    }
    return this.unmoved.size;
  }

  /** Calls back when there may be fewer. */
  onFewer(tell: () => void): void {
    this.listeners.push(tell);
  }

  /** After the commit of these changes. */
  note(changes: readonly SagaChange[]): void {
    let fewer = false;
    for (const { saga, before } of changes) {
      const more = Number(isOpen(saga.state)) - Number(before !== undefined && isOpen(before));
      // What ends while the database counts may be counted or not. Until the next count, there is rather one too many.
      if (more > 0 || (more < 0 && !this.isCounting)) this.since.add(tenantOf(saga.data), more);
      if (before === undefined) this.begin(saga.id);
      // One that turns back at once makes as much work as one that has just begun.
      else if (saga.state.status !== 'compensating' && this.goOn(saga.id)) fewer = true;
      if (more < 0) fewer = true;
    }
    if (fewer) this.tell();
  }

  private begin(id: string): void {
    const now = performance.now();
    this.unmoved.set(id, now);
    this.silentSince ??= now;
  }

  private goOn(id: string): boolean {
    const waited = this.unmoved.delete(id);
    if (waited) this.silentSince = this.unmoved.size > 0 ? performance.now() : undefined;
    return waited;
  }

  private async count(database: Database): Promise<void> {
    const before = this.since;
    this.since = new Tally();
    this.counted.addAll(before);
    this.isCounting = true;
    try {
      const counted = new Tally();
      for (const { tenant, sagas } of await countOpen(database)) counted.add(tenant, sagas);
      this.counted = counted;
    } finally {
      this.isCounting = false;
    }
    this.tell();
  }

  private tell(): void {
    for (const tell of this.listeners) tell();
  }
}

/** Numbers by tenant, and their sum. */
class Tally {
  total = 0;
  private readonly byTenant = new Map<string, number>();

  of(tenant: string): number {
    return this.byTenant.get(tenant) ?? 0;
  }

  add(tenant: string, count: number): void {
    this.total += count;
    this.byTenant.set(tenant, this.of(tenant) + count);
  }

  addAll(other: Tally): void {
    for (const [tenant, count] of other.byTenant) this.add(tenant, count);
  }
}

/**
 * A parked or held saga waits for a person, and one that waits for a customer or a provider makes no work: none takes
 * anybody's room. A tenant whose customers are all at their banks can sell on.
 */
const isOpen = (state: SagaState): boolean => isUnderWay(state) && !state.waiting && !state.held;

/** The data of every saga names its tenant. */
const tenantOf = (data: unknown): string => (data as { tenant?: string }).tenant ?? '';
