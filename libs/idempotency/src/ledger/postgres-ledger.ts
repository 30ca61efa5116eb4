/** The ledger in PostgreSQL. All code that uses its table is here. */
import assert from 'node:assert/strict';
import { bytea, isUniqueViolation, rowsOf, type Tx } from '@shop/postgres';
import { assertAnswerable, assertClaimable } from './bounds';
import { type Lease, LeaseLostError } from './lease';
import {
  type Finished,
  type Held,
  type KeyState,
  type LeasedClaim,
  Ledger,
  type Postgres,
  type Reached,
  type Resumable,
  type Stretch,
  type Unfinished,
} from './ledger';
import * as sql from './ledger-statements';
import { DEFAULT_RETENTION_HOURS, MAX_ANSWER_BYTES } from '../policy';
import type { Answer } from '../answer';
import { type CompletedEntry, type Entry, idOf, type Key } from '../settle';

export interface LedgerOptions {
  /** How long an answer is kept after completion, if its claim does not say so. */
  retentionHours?: number;
}

const PRIMARY_KEY = 'ledger_pkey';
/** Two megabytes: at most a few thousand rows are removed between two requests. */
const PAGES_PER_STRETCH = 256;

type Reader = Postgres['reader'];

interface Row {
  scope: string;
  key: string;
  fingerprint: Buffer | null;
  status: 'pending' | 'completed' | 'erased';
  answer_status: number;
  answer_headers: Record<string, string> | null;
  answer_body: string;
  lease_expired: boolean;
}

interface UnfinishedRow extends Resumable, Key {
  lease_token: string;
  recovery: Record<string, unknown> | null;
  attempt: number;
  undone: boolean;
  age_ms: number;
}

interface ReachedRow extends Key {
  lease_token: string;
  undone: boolean | null;
}

interface StateRow extends Key {
  status: Row['status'];
  answer_status: number | null;
  created_at: Date;
  completed_at: Date | null;
  expires_at: Date | null;
}

export class PostgresLedger extends Ledger {
  private readonly retentionHours: number;

  constructor({ retentionHours = DEFAULT_RETENTION_HOURS }: LedgerOptions = {}) {
    super();
    this.retentionHours = retentionHours;
  }

  async find(from: Reader, keys: readonly Key[]): Promise<Entry[]> {
    if (keys.length === 0) return [];
    const rows = await from.query<Row>(sql.findEntries, columnsOf(keys));
    return rows.map(entryOf);
  }

  record(tx: Tx, unordered: readonly CompletedEntry[]): void {
    if (unordered.length === 0) return;
    unordered.forEach(assertClaimable);
    const rows = inKeyOrder(unordered).map(({ scope, key, fingerprint, answer, retentionHours }) => ({
      scope,
      key,
      fingerprint: fingerprint && bytea(fingerprint),
      retention_hours: retentionHours,
      ...answerColumns(answer),
    }));
    tx.send(sql.insertCompleted, [rowsOf(rows), this.retentionHours]);
  }

  lease(tx: Tx, unordered: readonly LeasedClaim[], lease: Lease): void {
    if (unordered.length === 0) return;
    unordered.forEach(assertClaimable);
    const rows = inKeyOrder(unordered).map(({ scope, key, fingerprint, token, work, input }) => ({
      scope,
      key,
      fingerprint: bytea(fingerprint),
      token,
      work,
      input: input as object,
    }));
    tx.send(sql.insertPending, [rowsOf(rows), ...leaseColumns(lease)]);
  }

  mark(tx: Tx, keys: readonly Key[]): void {
    if (keys.length > 0) tx.send(sql.markUndone, columnsOf(inKeyOrder(keys)));
  }

  async resume(tx: Tx, { scope, key }: Key, works: readonly string[], lease: Lease): Promise<Unfinished | undefined> {
    const values = [scope, key, [...works], ...leaseColumns(lease)];
    const [row] = await tx.query<UnfinishedRow>(sql.resumeOne, values);
    return row && unfinishedOf(row);
  }

  async resumeOverdue(tx: Tx, works: readonly string[], lease: Lease, limit: number): Promise<Unfinished[]> {
    const rows = await tx.query<UnfinishedRow>(sql.resumeOverdue, [[...works], limit, ...leaseColumns(lease)]);
    return rows.map(unfinishedOf);
  }

  async savePoints(tx: Tx, reached: readonly Reached[]): Promise<Set<string>> {
    if (reached.length === 0) return new Set();
    const found = await tx.query<ReachedRow>(sql.savePoints, [rowsOf(inKeyOrder(reached).map(pointColumns))]);
    assertHeld(reached, found);
    return new Set(found.flatMap(({ lease_token, undone }) => (undone ? [lease_token] : [])));
  }

  async complete(tx: Tx, finished: readonly Finished[]): Promise<void> {
    if (finished.length === 0) return;
    const values = [completionOf(inKeyOrder(finished)), this.retentionHours];
    assertHeld(finished, await tx.query<Key>(sql.completeLeased, values));
  }

  async forget(tx: Tx, held: Held): Promise<void> {
    const { scope, key, token } = held;
    assertHeld([held], await tx.query<Key>(sql.forgetLeased, [scope, key, token]));
  }

  async extend(from: Reader, leased: readonly Held[], durationMs: number): Promise<Set<string>> {
    if (leased.length === 0) return new Set();
    const rows = await from.query<{ lease_token: string }>(sql.extendLeases, [
      ...heldColumns(inKeyOrder(leased)),
      durationMs,
    ]);
    return new Set(rows.map(({ lease_token }) => lease_token));
  }

  async describe(from: Reader, keys: readonly Key[]): Promise<KeyState[]> {
    const rows = await from.query<StateRow>(sql.describeKeys, columnsOf(keys));
    return rows.map(stateOf);
  }

  async reap(from: Reader, start: number): Promise<Stretch> {
    return walk(await from.query<WalkRow>(sql.reapStretch, [start, PAGES_PER_STRETCH]), start);
  }

  async erase(from: Reader, scopePrefix: string, start: number): Promise<Stretch> {
    return walk(await from.query<WalkRow>(sql.eraseStretch, [start, PAGES_PER_STRETCH, scopePrefix]), start);
  }

  async remove(from: Reader, what: { scopePrefix: string; mention?: string }, start: number): Promise<Stretch> {
    const values = [start, PAGES_PER_STRETCH, what.scopePrefix, what.mention ?? null];
    return walk(await from.query<WalkRow>(sql.removeStretch, values), start);
  }

  async countPending(from: Reader, whose: { scopePrefix: string; tenant: string }): Promise<number> {
    const [row] = await from.query<{ count: number }>(sql.countPending, [whose.scopePrefix, whose.tenant]);
    return row!.count;
  }

  isLostRace(error: unknown): boolean {
    return isUniqueViolation(error, PRIMARY_KEY);
  }
}

/** @throws LeaseLostError when a row was not found under the token of its owner */
function assertHeld(held: readonly Held[], found: readonly Key[]): void {
  if (found.length === held.length) return;
  const ids = new Set(found.map(idOf));
  throw new LeaseLostError(held.find((one) => !ids.has(idOf(one)))!.key);
}

interface WalkRow {
  changed: number;
  pages: number;
}

function walk([row]: WalkRow[], start: number): Stretch {
  const next = start + PAGES_PER_STRETCH;
  return { changed: row!.changed, next: next < row!.pages ? next : 0 };
}

/** Two transactions that write the same keys in the same order wait for each other and do not deadlock. */
function inKeyOrder<T extends Key>(entries: readonly T[]): T[] {
  return [...entries].sort((a, b) => compare(a.scope, b.scope) || compare(a.key, b.key));
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

const columnsOf = (keys: readonly Key[]) => [keys.map(({ scope }) => scope), keys.map(({ key }) => key)];
const heldColumns = (leased: readonly Held[]) => [...columnsOf(leased), leased.map(({ token }) => token)];
const leaseColumns = ({ owner, durationMs }: Lease) => [owner, durationMs];

function completionOf(finished: readonly Finished[]): string {
  return rowsOf(
    finished.map(({ scope, key, token, answer, retentionHours }) => ({
      scope,
      key,
      token,
      retention_hours: retentionHours,
      ...answerColumns(answer),
    })),
  );
}

function pointColumns({ scope, key, token, point, result: value }: Reached) {
  const result = JSON.stringify(value) ?? 'null';
  assert(result.length <= MAX_ANSWER_BYTES, `the result of ${point} is too large to be a recovery point`);
  return { scope, key, token, point, result };
}

function answerColumns(answer: Answer) {
  assertAnswerable(answer);
  const { status, headers, body } = answer;
  return { answer_status: status, answer_headers: headers, answer_body: body };
}

function entryOf({ scope, key, fingerprint, ...row }: Row): Entry {
  switch (row.status) {
    case 'pending':
      return { scope, key, fingerprint, status: 'pending', leaseExpired: row.lease_expired };
    case 'erased':
      return { scope, key, fingerprint, status: 'erased' };
    case 'completed': {
      const answer = { status: row.answer_status, headers: row.answer_headers ?? undefined, body: row.answer_body };
      return { scope, key, fingerprint, status: 'completed', answer };
    }
  }
}

function unfinishedOf({ lease_token, recovery, age_ms, ...row }: UnfinishedRow): Unfinished {
  return { ...row, token: lease_token, points: recovery ?? {}, ageMs: age_ms };
}

function stateOf({ scope, key, status, ...row }: StateRow): KeyState {
  return {
    scope,
    key,
    state: status === 'pending' ? 'processing' : status,
    answerStatus: row.answer_status ?? undefined,
    createdAt: row.created_at.toISOString(),
    completedAt: row.completed_at?.toISOString(),
    expiresAt: row.expires_at?.toISOString(),
  };
}
