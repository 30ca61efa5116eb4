/** The ledger's table: claimed keys and their stored answers. Every statement on it stands here. */
import assert from 'node:assert/strict';
import { bytea, isDivisionByZero, isUniqueViolation, rowsOf, type Statement, type Tx } from '@shop/postgres';
import type { Lease } from './lease';
import type { Answer, Claim, Entry } from './settle';

export interface LedgerOptions {
  /** How long an answer is kept after completion. */
  retentionHours?: number;
}

/** Clients repeat for hours, operators replay after a weekend: three days cover both. */
const DEFAULT_RETENTION_HOURS = 72;
const PRIMARY_KEY = 'ledger_pkey';

/** Leased work that is done, and the lease under which it was. */
interface Finished {
  scope: string;
  key: string;
  token: string;
  answer: Answer;
}

interface Row {
  scope: string;
  key: string;
  fingerprint: Buffer | null;
  status: 'pending' | 'completed';
  answer_status: number;
  answer_headers: Record<string, string> | null;
  answer_body: string;
  lease_expired: boolean;
}

export class Ledger {
  private readonly retentionHours: number;

  constructor({ retentionHours = DEFAULT_RETENTION_HOURS }: LedgerOptions = {}) {
    this.retentionHours = retentionHours;
  }

  /** The rows that exist for these keys. It locks nothing: what decides a race is the insert's unique index. */
  async find(tx: Tx, keys: readonly { scope: string; key: string }[]): Promise<Entry[]> {
    const rows = await tx.query<Row>(findEntries, [keys.map(({ scope }) => scope), keys.map(({ key }) => key)]);
    return rows.map(entryOf);
  }

  /**
   * Writes finished work. Sent without waiting; if somebody else wrote one of the keys first, the transaction fails
   * with an error for which `isLostRace` is true, and run again it will find their row.
   */
  record(tx: Tx, unordered: readonly (Entry & { status: 'completed' })[]): void {
    if (unordered.length === 0) return;
    const rows = inKeyOrder(unordered).map(({ scope, key, fingerprint, answer }) => ({
      scope,
      key,
      fingerprint: fingerprint && bytea(fingerprint),
      ...answerColumns(answer),
    }));
    tx.send(insertCompleted, [rowsOf(rows), this.retentionHours]);
  }

  /** Claims keys for work that calls outside: rows that are pending until their lease's owner completes them. */
  lease(tx: Tx, unordered: readonly Claim[], lease: Lease): void {
    if (unordered.length === 0) return;
    const rows = inKeyOrder(unordered).map(({ scope, key, fingerprint }) => ({
      scope,
      key,
      fingerprint: bytea(fingerprint),
    }));
    tx.send(insertPending, [rowsOf(rows), lease.owner, lease.token, lease.durationMs]);
  }

  /** Takes over pending rows whose lease has run out, locked in key order; answers the keys it got. */
  async takeOver(tx: Tx, keys: readonly { scope: string; key: string }[], lease: Lease): Promise<Set<string>> {
    if (keys.length === 0) return new Set();
    assertOneScope(keys);
    const rows = await tx.query<{ key: string }>(takeOverExpired, [
      keys.map(({ scope }) => scope),
      keys.map(({ key }) => key),
      lease.owner,
      lease.token,
      lease.durationMs,
    ]);
    return new Set(rows.map(({ key }) => key));
  }

  /** Stores the answers of leased work; answers the keys whose lease still was this one. The others must write nothing. */
  async complete(tx: Tx, finished: readonly Finished[]): Promise<Set<string>> {
    if (finished.length === 0) return new Set();
    assertOneScope(finished);
    const rows = await tx.query<{ key: string }>(completeLeased, [completionOf(finished), this.retentionHours]);
    return new Set(rows.map(({ key }) => key));
  }

  /**
   * The same without waiting, for all or nothing: if one lease is no longer this one, the transaction fails with an
   * error for which `isLeaseLost` is true. Answers the keys.
   */
  completeAll(tx: Tx, finished: readonly Finished[]): Set<string> {
    if (finished.length > 0) {
      tx.send(completeAllLeased, [completionOf(finished), this.retentionHours, finished.length]);
    }
    return new Set(finished.map(({ key }) => key));
  }

  /** Gives leases back early, so that a repeat need not wait for them to run out. */
  release(tx: Tx, leased: readonly { scope: string; key: string; token: string }[]): void {
    if (leased.length === 0) return;
    tx.send(releaseLeases, [
      leased.map(({ scope }) => scope),
      leased.map(({ key }) => key),
      leased.map(({ token }) => token),
    ]);
  }
}

/** True when a transaction failed because another one wrote the same key first; it should run again. */
export function isLostRace(error: unknown): boolean {
  return isUniqueViolation(error, PRIMARY_KEY);
}

/** True when `completeAll` has met a lease that somebody else has taken over. */
export function isLeaseLost(error: unknown): boolean {
  return isDivisionByZero(error);
}

/** Two transactions that insert the same keys in the same order wait for one another instead of deadlocking. */
function inKeyOrder<T extends { scope: string; key: string }>(entries: readonly T[]): T[] {
  return [...entries].sort((a, b) => compare(a.scope, b.scope) || compare(a.key, b.key));
}

/** The answer names keys alone; in two scopes one key would let an owner write what is not its own. */
function assertOneScope(entries: readonly { scope: string }[]): void {
  assert(new Set(entries.map(({ scope }) => scope)).size === 1, 'all keys must be of one scope');
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

function completionOf(finished: readonly Finished[]): string {
  return rowsOf(finished.map(({ scope, key, token, answer }) => ({ scope, key, token, ...answerColumns(answer) })));
}

const answerColumns = ({ status, headers, body }: Answer) => ({
  answer_status: status,
  answer_headers: headers,
  answer_body: body,
});

function entryOf(row: Row): Entry {
  const { scope, key, fingerprint } = row;
  if (row.status === 'pending') return { scope, key, fingerprint, status: 'pending', leaseExpired: row.lease_expired };
  const answer = { status: row.answer_status, headers: row.answer_headers ?? undefined, body: row.answer_body };
  return { scope, key, fingerprint, status: 'completed', answer };
}

const findEntries: Statement = {
  name: 'ledger.find-entries',
  text: `
    select l.scope, l.key, l.fingerprint, l.status, l.answer_status, l.answer_headers, l.answer_body,
           coalesce(l.leased_until <= now(), false) as lease_expired
    from unnest($1::text[], $2::text[]) as k (scope, key)
    join ledger l on l.scope = k.scope and l.key = k.key`,
};

const insertCompleted: Statement = {
  name: 'ledger.insert-completed',
  text: `
    insert into ledger (scope, key, fingerprint, status, answer_status, answer_headers, answer_body, completed_at, expires_at)
    select scope, key, fingerprint, 'completed', answer_status, answer_headers, answer_body, now(), now() + $2 * interval '1 hour'
    from jsonb_to_recordset($1::jsonb) as e (
      scope text, key text, fingerprint bytea, answer_status int, answer_headers jsonb, answer_body text)`,
};

const insertPending: Statement = {
  name: 'ledger.insert-pending',
  text: `
    insert into ledger (scope, key, fingerprint, status, leased_by, lease_token, leased_until)
    select scope, key, fingerprint, 'pending', $2, $3, now() + $4 * interval '1 millisecond'
    from jsonb_to_recordset($1::jsonb) as e (scope text, key text, fingerprint bytea)`,
};

// Only a pending row has a lease. None of these asks for the status as well: the planner would then walk the index of
// all pending rows instead of looking up the keys.
const takeOverExpired: Statement = {
  name: 'ledger.take-over-expired',
  text: `
    update ledger l set leased_by = $3, lease_token = $4, leased_until = now() + $5 * interval '1 millisecond'
    from (
      select scope, key from ledger
      where (scope, key) in (select * from unnest($1::text[], $2::text[])) and lease_token is not null and leased_until <= now()
      order by scope, key for update
    ) as expired
    where l.scope = expired.scope and l.key = expired.key
    returning l.key`,
};

const complete = `
    update ledger l
    set status = 'completed', answer_status = e.answer_status, answer_headers = e.answer_headers,
        answer_body = e.answer_body, completed_at = now(), expires_at = now() + $2 * interval '1 hour',
        leased_by = null, lease_token = null, leased_until = null
    from jsonb_to_recordset($1::jsonb) as e (
      scope text, key text, token uuid, answer_status int, answer_headers jsonb, answer_body text)
    where l.scope = e.scope and l.key = e.key and l.lease_token = e.token
    returning l.key`;

const completeLeased: Statement = { name: 'ledger.complete-leased', text: complete };

/** SQL has no other way to fail a transaction on a count than to compute something that cannot be. */
const completeAllLeased: Statement = {
  name: 'ledger.complete-all-leased',
  text: `with done as (${complete}) select 1 / (count(*) = $3)::int from done`,
};

const releaseLeases: Statement = {
  name: 'ledger.release-leases',
  text: `
    update ledger l set leased_until = now()
    from unnest($1::text[], $2::text[], $3::uuid[]) as k (scope, key, token)
    where l.scope = k.scope and l.key = k.key and l.lease_token = k.token`,
};
