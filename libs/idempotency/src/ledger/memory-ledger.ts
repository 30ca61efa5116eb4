/** The ledger in memory, for tests and trials. */
import { assertAnswerable, assertClaimable } from './bounds';
import { type Lease, LeaseLostError, newLeaseToken } from './lease';
import {
  type Finished,
  type Held,
  type KeyState,
  type LeasedClaim,
  Ledger,
  type Reached,
  type Resumable,
  type Stretch,
  type Unfinished,
} from './ledger';
import type { Memory, MemoryReader, MemoryTx } from './memory-store';
import { DEFAULT_RETENTION_HOURS } from '../policy';
import type { Answer } from '../answer';
import { type CompletedEntry, type Entry, idOf, type Key } from '../settle';

/** Thrown when another transaction wrote the same key first. */
class LostRaceError extends Error {
  constructor() {
    super('another transaction wrote the same key first');
    this.name = 'LostRaceError';
  }
}

interface Row extends Key {
  fingerprint: Buffer | null;
  status: Entry['status'];
  answer?: Answer;
  createdAt: number;
  completedAt?: number;
  expiresAt?: number;
  lease?: { owner: string; token: string; until: number };
  resumable?: Resumable;
  points?: Record<string, unknown>;
  undone?: boolean;
  attempt: number;
}

const TABLE = 'ledger';
const ROWS_PER_STRETCH = 1_000;
const HOUR_MS = 3_600_000;
const MAX_PAUSE_MS = 300_000;

export class MemoryLedger extends Ledger<Memory> {
  /** @param now milliseconds since 1970 */
  constructor(private readonly now: () => number = Date.now) {
    super();
  }

  async find(from: MemoryReader, keys: readonly Key[]): Promise<Entry[]> {
    return keys.flatMap((key) => {
      const row = rowOf(from, key);
      return row ? [this.entryOf(row)] : [];
    });
  }

  record(tx: MemoryTx, entries: readonly CompletedEntry[]): void {
    for (const { scope, key, fingerprint, answer, retentionHours } of entries) {
      this.insert(tx, { scope, key, fingerprint, ...this.completed(answer, retentionHours) });
    }
  }

  lease(tx: MemoryTx, claims: readonly LeasedClaim[], lease: Lease): void {
    for (const { scope, key, fingerprint, token, work, input } of claims) {
      const resumable = { work, input: copyOf(input) };
      this.insert(tx, { scope, key, fingerprint, status: 'pending', lease: this.leaseOf(lease, token), resumable });
    }
  }

  mark(tx: MemoryTx, keys: readonly Key[]): void {
    for (const key of keys) {
      const row = rowOf(tx, key);
      if (row?.lease) put(tx, { ...row, undone: true });
    }
  }

  async resume(tx: MemoryTx, key: Key, works: readonly string[], lease: Lease): Promise<Unfinished | undefined> {
    const row = rowOf(tx, key);
    const left = row && this.isExpired(row) && works.includes(row.resumable?.work ?? '');
    return left ? this.take(tx, row, lease) : undefined;
  }

  async resumeOverdue(tx: MemoryTx, works: readonly string[], lease: Lease, limit: number): Promise<Unfinished[]> {
    const overdue = tx.all<Row>(TABLE).filter((row) => {
      const pauseMs = Math.min(MAX_PAUSE_MS, 2 ** row.attempt * 1_000);
      return works.includes(row.resumable?.work ?? '') && row.lease && row.lease.until <= this.now() - pauseMs;
    });
    return overdue.slice(0, limit).map((row) => this.take(tx, row, lease));
  }

  async savePoints(tx: MemoryTx, reached: readonly Reached[]): Promise<Set<string>> {
    const undone = new Set<string>();
    for (const { point, result, ...held } of reached) {
      const row = heldRow(tx, held);
      put(tx, { ...row, points: { ...row.points, [point]: copyOf(result) } });
      if (row.undone) undone.add(held.token);
    }
    return undone;
  }

  async complete(tx: MemoryTx, finished: readonly Finished[]): Promise<void> {
    for (const { answer, retentionHours, ...held } of finished) {
      const { scope, key, fingerprint, createdAt, attempt } = heldRow(tx, held);
      put(tx, { scope, key, fingerprint, createdAt, attempt, ...this.completed(answer, retentionHours) });
    }
  }

  async forget(tx: MemoryTx, held: Held): Promise<void> {
    heldRow(tx, held);
    tx.put(TABLE, idOf(held), undefined);
  }

  async extend(from: MemoryReader, leased: readonly Held[], durationMs: number): Promise<Set<string>> {
    const rows = leased.flatMap(({ token, ...key }) => {
      const row = rowOf(from, key);
      return row?.lease?.token === token ? [{ ...row, lease: { ...row.lease, until: this.now() + durationMs } }] : [];
    });
    for (const row of rows) put(from, row);
    return new Set(rows.map(({ lease }) => lease.token));
  }

  async describe(from: MemoryReader, keys: readonly Key[]): Promise<KeyState[]> {
    const rows = keys.flatMap((key) => rowOf(from, key) ?? []);
    return rows
      .sort((a, b) => a.createdAt - b.createdAt)
      .map(({ scope, key, status, answer, createdAt, completedAt, expiresAt }) => ({
        scope,
        key,
        state: status === 'pending' ? 'processing' : status,
        answerStatus: answer?.status,
        createdAt: timeOf(createdAt),
        completedAt: completedAt === undefined ? undefined : timeOf(completedAt),
        expiresAt: expiresAt === undefined ? undefined : timeOf(expiresAt),
      }));
  }

  async reap(from: MemoryReader, start: number): Promise<Stretch> {
    const { changed, next } = walk(from, start, ({ lease, expiresAt }) => !lease && expiresAt! <= this.now());
    for (const row of changed) from.put(TABLE, idOf(row), undefined);
    return { changed: changed.length, next: next && next - changed.length };
  }

  async erase(from: MemoryReader, scopePrefix: string, start: number): Promise<Stretch> {
    const { changed, next } = walk(
      from,
      start,
      ({ scope, status }) => scope.startsWith(scopePrefix) && status === 'completed',
    );
    for (const { answer, ...row } of changed) put(from, { ...row, status: 'erased', fingerprint: null });
    return { changed: changed.length, next };
  }

  async remove(
    from: MemoryReader,
    { scopePrefix, mention }: { scopePrefix: string; mention?: string },
    start: number,
  ): Promise<Stretch> {
    const isMeant = ({ scope, lease, answer }: Row) =>
      scope.startsWith(scopePrefix) && !lease && (mention === undefined || !!answer?.body.includes(mention));
    const { changed, next } = walk(from, start, isMeant);
    for (const row of changed) from.put(TABLE, idOf(row), undefined);
    return { changed: changed.length, next: next && next - changed.length };
  }

  async countPending(from: MemoryReader, { scopePrefix, tenant }: { scopePrefix: string; tenant: string }) {
    const tenantIn = ({ resumable }: Row) =>
      (resumable?.input as { input?: { tenant?: string } } | undefined)?.input?.tenant;
    return from
      .all<Row>(TABLE)
      .filter((row) => row.lease && (row.scope.startsWith(scopePrefix) || tenantIn(row) === tenant)).length;
  }

  isLostRace(error: unknown): boolean {
    return error instanceof LostRaceError;
  }

  private insert(tx: MemoryTx, row: Omit<Row, 'createdAt' | 'attempt'>): void {
    assertClaimable(row);
    if (rowOf(tx, row)) throw new LostRaceError();
    put(tx, { ...row, createdAt: this.now(), attempt: 1 });
  }

  private take(tx: MemoryTx, row: Row, lease: Lease): Unfinished {
    const { scope, key, points = {}, resumable, createdAt, undone = false } = row;
    const attempt = row.attempt + 1;
    const token = newLeaseToken();
    put(tx, { ...row, lease: this.leaseOf(lease, token), attempt });
    const ageMs = this.now() - createdAt;
    return { scope, key, token, points, attempt, undone, ageMs, ...(resumable as Resumable) };
  }

  private completed(answer: Answer, retentionHours = DEFAULT_RETENTION_HOURS) {
    assertAnswerable(answer);
    const { status, headers, body } = answer;
    const now = this.now();
    const expiresAt = now + retentionHours * HOUR_MS;
    return { status: 'completed', answer: { status, headers, body }, completedAt: now, expiresAt } as const;
  }

  private entryOf(row: Row): Entry {
    const { scope, key, fingerprint, status } = row;
    if (status === 'pending') return { scope, key, fingerprint, status, leaseExpired: this.isExpired(row) };
    if (status === 'erased') return { scope, key, fingerprint, status };
    return { scope, key, fingerprint, status, answer: row.answer! };
  }

  private isExpired({ lease }: Row): boolean {
    return lease !== undefined && lease.until <= this.now();
  }

  private leaseOf({ owner, durationMs }: Lease, token: string) {
    return { owner, token, until: this.now() + durationMs };
  }
}

const rowOf = (from: MemoryReader, key: Key): Row | undefined => from.get<Row>(TABLE, idOf(key));
const put = (from: MemoryReader, row: Row): void => from.put(TABLE, idOf(row), row);
const timeOf = (ms: number): string => new Date(ms).toISOString();
/** A copy as a database would return it. */
const copyOf = (value: unknown): unknown => JSON.parse(JSON.stringify(value) ?? 'null');

function heldRow(tx: MemoryTx, { token, ...key }: Held): Row {
  const row = rowOf(tx, key);
  if (row?.lease?.token !== token) throw new LeaseLostError(key.key);
  return row;
}

function walk(from: MemoryReader, start: number, isMeant: (row: Row) => boolean): { changed: Row[]; next: number } {
  const rows = from.all<Row>(TABLE);
  const next = start + ROWS_PER_STRETCH;
  return { changed: rows.slice(start, next).filter(isMeant), next: next < rows.length ? next : 0 };
}
