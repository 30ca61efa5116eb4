/**
 * The ledger's port: a store of claimed keys and their answers. Two adapters keep it, PostgreSQL and memory, and one
 * suite of tests runs on both.
 *
 * All that is written goes through a transaction of the caller, so that a key, its effect and its answer stand or fall
 * together. What is said to be sent is not waited for: if it cannot be, the transaction fails.
 */
import type { Tx } from '@shop/postgres';
import type { Lease } from './lease';
import type { Answer } from '../answer';
import type { Claim, CompletedEntry, Entry, Key } from '../settle';

/** A kind of store: what its transactions are, and what reads from it outside of one. */
export interface Kind {
  tx: Pick<Tx, 'afterCommit'>;
  reader: unknown;
}

export interface Postgres {
  tx: Tx;
  reader: Pick<Tx, 'query'>;
}

/** Runs work in one transaction; what `retryOn` names starts it again. */
export interface Transactions<K extends Kind> {
  transaction<T>(work: (tx: K['tx']) => Promise<T>, retryOn?: (error: unknown) => boolean): Promise<T>;
}

/** Where a ledger and the effects that it guards are kept. */
export type Store<K extends Kind> = Transactions<K> & K['reader'];

/** A key, and the token of the lease under which its owner holds it. */
export interface Held extends Key {
  token: string;
}

/** Leased work that is done. */
export interface Finished extends Held {
  answer: Answer;
  retentionHours?: number;
}

/** What a pending row keeps so that anybody can resume it. */
export interface Resumable {
  /** The name of the work, by which whoever resumes it finds the code. */
  work: string;
  /** What the work was given. JSON; forgotten when the work is done. */
  input: unknown;
}

/** A claim of work that calls outside, and the token of the lease under which it is carried out. */
export type LeasedClaim = Claim & Resumable & Pick<Held, 'token'>;

/** Leased work that somebody has begun, taken over under a new token. */
export interface Unfinished extends Held, Resumable {
  /** The results of the steps that are done, by name. */
  points: Record<string, unknown>;
  /** This is the n-th try, from 2. */
  attempt: number;
  /** Since the claim, by the clock of the store. */
  ageMs: number;
}

/** A key as its owner may see it. Times are RFC 3339. */
export interface KeyState extends Key {
  state: 'processing' | 'completed' | 'erased';
  answerStatus?: number;
  createdAt: string;
  completedAt?: string;
  expiresAt?: string;
}

/** A stretch of a walk over the whole ledger: how many rows it changed, and where the next one begins; 0 at the end. */
export interface Stretch {
  changed: number;
  next: number;
}

export abstract class Ledger<K extends Kind = Postgres> {
  /** The rows that exist for these keys. It locks nothing: what decides a race is the insert's unique index. */
  abstract find(from: K['reader'], keys: readonly Key[]): Promise<Entry[]>;

  /**
   * Sends finished work. If somebody else wrote one of the keys first, the transaction fails with an error for which
   * `isLostRace` is true, and run again it will find their row.
   */
  abstract record(tx: K['tx'], entries: readonly CompletedEntry[]): void;

  /** Sends claims of work that calls outside: rows that are pending until their lease's owner completes them. */
  abstract lease(tx: K['tx'], claims: readonly LeasedClaim[], lease: Lease): void;

  /** Takes over one pending row of these works whose lease has run out, with all that is needed to resume it. */
  abstract resume(tx: K['tx'], key: Key, works: readonly string[], lease: Lease): Promise<Unfinished | undefined>;

  /**
   * Takes over up to `limit` rows of these works that nobody has resumed for a while, twice as long after each try; rows
   * that another transaction is about to take are passed by.
   */
  abstract resumeOverdue(tx: K['tx'], works: readonly string[], lease: Lease, limit: number): Promise<Unfinished[]>;

  /** Stores the result of a step. @throws LeaseLostError if the lease is no longer this one */
  abstract savePoint(tx: K['tx'], held: Held, point: { name: string; result: unknown }): Promise<void>;

  /** Stores the answers of leased work, all or none. @throws LeaseLostError if one lease is no longer this one */
  abstract complete(tx: K['tx'], finished: readonly Finished[]): Promise<void>;

  /** Nothing came of the work, and its key is free. @throws LeaseLostError like `savePoint` */
  abstract forget(tx: K['tx'], held: Held): Promise<void>;

  /** Makes leases last from now again, or end now with 0; answers the tokens of those that still were held. */
  abstract extend(from: K['reader'], leased: readonly Held[], durationMs: number): Promise<Set<string>>;

  abstract describe(from: K['reader'], keys: readonly Key[]): Promise<KeyState[]>;

  /** Removes expired rows, never pending ones, in one bounded stretch of the ledger. */
  abstract reap(from: K['reader'], start: number): Promise<Stretch>;

  /** Erases what was answered in scopes that begin so, in one bounded stretch; the keys stay used until they expire. */
  abstract erase(from: K['reader'], scopePrefix: string, start: number): Promise<Stretch>;

  /** True when a transaction failed because another one wrote the same key first; it should run again. */
  abstract isLostRace(error: unknown): boolean;
}
