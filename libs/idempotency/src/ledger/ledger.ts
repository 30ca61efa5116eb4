/**
 * The port of the ledger: a store of claimed keys and their answers. There are two adapters, PostgreSQL and memory. One
 * suite of tests runs on both.
 *
 * Every write goes through a transaction of the caller, so a key, its effect and its answer commit together or not at
 * all. Where a comment says that a method sends something, the method does not wait for it. If the write fails, the
 * transaction fails.
 */
import type { Tx } from '@shop/postgres';
import type { Lease } from './lease';
import type { Answer } from '../answer';
import type { Claim, CompletedEntry, Entry, Key } from '../settle';

/** A kind of store: its transactions, and its reader outside of transactions. */
export interface Kind {
  tx: Pick<Tx, 'afterCommit'>;
  reader: unknown;
}

export interface Postgres {
  tx: Tx;
  reader: Pick<Tx, 'query'>;
}

/** Runs work in one transaction. An error that `retryOn` names starts the work again. */
export interface Transactions<K extends Kind> {
  transaction<T>(work: (tx: K['tx']) => Promise<T>, retryOn?: (error: unknown) => boolean): Promise<T>;
}

/** The place of a ledger and of the effects that it guards. */
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

/** What a pending row keeps, so that anybody can resume it. */
export interface Resumable {
  /** The name of the work. Whoever resumes the work finds its code by this name. */
  work: string;
  /** The input of the work. JSON; it is deleted when the work is done. */
  input: unknown;
}

/** A claim of work that makes an outside call, and the token of the lease under which it is carried out. */
export type LeasedClaim = Claim & Resumable & Pick<Held, 'token'>;

/** A recovery point that leased work has reached. */
export interface Reached extends Held {
  point: string;
  /** JSON. */
  result: unknown;
}

/** Leased work that somebody has begun, and that was taken over under a new token. */
export interface Unfinished extends Held, Resumable {
  /** The results of the steps that are done, by name. */
  points: Record<string, unknown>;
  /** The number of this attempt, from 2. */
  attempt: number;
  /** Whether it is marked: its undo has come. */
  undone: boolean;
  /** The time since the claim, by the clock of the store. */
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

/** A part of a walk over the whole ledger: how many rows it changed, and where the next part begins; 0 at the end. */
export interface Stretch {
  changed: number;
  next: number;
}

export abstract class Ledger<K extends Kind = Postgres> {
  /** The rows that exist for these keys. It locks nothing: the unique index decides a race, at the insert. */
  abstract find(from: K['reader'], keys: readonly Key[]): Promise<Entry[]>;

  /**
   * Sends finished work. If somebody else wrote one of the keys first, the transaction fails with an error for which
   * `isLostRace` is true. When it runs again, it will find their row.
   */
  abstract record(tx: K['tx'], entries: readonly CompletedEntry[]): void;

  /**
   * Sends claims of work that makes outside calls. Their rows are pending until the owner of the lease completes them.
   */
  abstract lease(tx: K['tx'], claims: readonly LeasedClaim[], lease: Lease): void;

  /**
   * Sends the marks of pending rows whose undo has come. Their owners learn it at their next point, and whoever takes
   * them over learns it then. A row that is no longer pending does not change.
   */
  abstract mark(tx: K['tx'], keys: readonly Key[]): void;

  /** Takes over one pending row of these works whose lease has expired, with all that is needed to resume it. */
  abstract resume(tx: K['tx'], key: Key, works: readonly string[], lease: Lease): Promise<Unfinished | undefined>;

  /**
   * Takes over up to `limit` rows of these works that nobody has resumed for a while. The pause doubles after each
   * attempt. Rows that another transaction is taking over are skipped.
   */
  abstract resumeOverdue(tx: K['tx'], works: readonly string[], lease: Lease, limit: number): Promise<Unfinished[]>;

  /**
   * Stores the results of steps, all or none. Returns the tokens of the works that are marked.
   * @throws LeaseLostError if one lease is no longer this one
   */
  abstract savePoints(tx: K['tx'], reached: readonly Reached[]): Promise<Set<string>>;

  /** Stores the answers of leased work, all or none. @throws LeaseLostError if one lease is no longer this one */
  abstract complete(tx: K['tx'], finished: readonly Finished[]): Promise<void>;

  /**
   * Removes the claim of work that has done nothing, so that its key is free.
   * @throws LeaseLostError like `savePoints`
   */
  abstract forget(tx: K['tx'], held: Held): Promise<void>;

  /** Extends leases from now, or ends them now with 0. Returns the tokens of the leases that were still held. */
  abstract extend(from: K['reader'], leased: readonly Held[], durationMs: number): Promise<Set<string>>;

  abstract describe(from: K['reader'], keys: readonly Key[]): Promise<KeyState[]>;

  /** Removes expired rows, never pending ones, in one bounded stretch of the ledger. */
  abstract reap(from: K['reader'], start: number): Promise<Stretch>;

  /** Erases the answers of scopes with this prefix, in one bounded stretch. The keys stay used until they expire. */
  abstract erase(from: K['reader'], scopePrefix: string, start: number): Promise<Stretch>;

  /**
   * Removes finished rows of scopes with this prefix, in one bounded stretch of the ledger; with a `mention`, only those
   * whose answer has it in its body. Their keys may be used again, so the effects need natural keys.
   */
  abstract remove(from: K['reader'], what: { scopePrefix: string; mention?: string }, start: number): Promise<Stretch>;

  /** How much work is under way in scopes with this prefix, or has this tenant in its input. */
  abstract countPending(from: K['reader'], whose: { scopePrefix: string; tenant: string }): Promise<number>;

  /** True when a transaction failed because another one wrote the same key first; it should run again. */
  abstract isLostRace(error: unknown): boolean;
}
