/** One attempt at leased work, as the code of the work sees it. */
import type { Lane } from '@shop/postgres';
import type { Problem } from '@shop/problem';
import { type Answer, refusalOf } from '../answer';
import type { Held, Kind, Ledger, Postgres, Store, Transactions } from '../ledger/ledger';
import { naturalKeyOf } from '../natural-key';
import { isKept, withoutSecrets } from '../policy';

export interface LeasedWork<K extends Kind = Postgres> {
  /**
   * The same for every attempt at this work, and different for all other work. It is the key for outside calls. If
   * there are several calls, add a suffix of your own. 64 characters.
   */
  readonly id: string;
  /** From 1. */
  readonly attempt: number;
  /** The time since the claim, by the clock of the store. It is 0 in the first attempt. */
  readonly ageMs: number;
  /** Aborts when somebody else has taken the work over. */
  readonly signal: AbortSignal;
  /**
   * Runs `step` in a transaction and makes its result (JSON) a recovery point. A later attempt gets the result and does
   * not run the step again.
   * @throws LeaseLostError, or the error of the ledger in its place; do not catch it
   */
  reach<T>(point: string, step: (tx: K['tx']) => Promise<T>): Promise<T>;
  /**
   * Makes a call outside of any transaction, then reaches the point with the result of the call. A later attempt that
   * finds the point reached does neither. A later attempt that does not find it makes the call again, with the same
   * key.
   */
  call<C, T>(point: string, call: () => Promise<C>, step: (tx: K['tx'], called: C) => Promise<T>): Promise<T>;
  /**
   * Runs the last transaction, which also stores the answer. An answer that is not final frees the key instead. Then
   * nothing may be left outside that a new run would do twice.
   */
  finish(step: (tx: K['tx']) => Promise<Answer> | Answer): Promise<Done>;
  /**
   * The same for many works that end at the same time. They share one transaction, and `save` writes the rows of all of
   * them with one statement. The works of several tenants end in turn.
   */
  finishWith<Row>(answer: Answer, save: SaveAll<Row, K>, row: Row, tenant?: string): Promise<Done>;
}

/** Only sends statements, because the other works wait for it. */
export type SaveAll<Row, K extends Kind = Postgres> = (tx: K['tx'], rows: readonly Row[]) => void;

/** Only `finish` and `finishWith` make this value. */
export interface Done {
  readonly answer: Answer;
}

export type LeasedRun<Input, K extends Kind = Postgres> = (work: LeasedWork<K>, input: Input) => Promise<Done>;

/** What is stored as the input: the input of the work, and how its answer has to be kept. */
export interface KeptInput {
  input: unknown;
  retentionHours?: number;
  redact?: readonly string[];
}

export interface Attempt extends Held {
  /** The name of the work. */
  name: string;
  kept: KeptInput;
  /** The results of the points that were reached, by name. */
  points: Record<string, unknown>;
  attempt: number;
  ageMs: number;
}

/** The end of a work. It is written in one transaction with the ends of other works. */
export interface Ending<K extends Kind> {
  held: Held;
  kept: KeptInput;
  answer: Answer;
  save: SaveAll<never, K>;
  row: unknown;
  tenant?: string;
}

export class LeasedAttempt<K extends Kind> implements LeasedWork<K> {
  readonly id: string;
  readonly attempt: number;
  readonly ageMs: number;
  /** Whether anything of the work may have been done, in this attempt or in an earlier one. */
  begun: boolean;
  private readonly held: Held;

  constructor(
    private readonly store: Store<K>,
    /** Those that the work has for itself. */
    private readonly own: Transactions<K>,
    private readonly ledger: Ledger<K>,
    private readonly ending: Lane<Ending<K>, void>,
    private readonly one: Attempt,
    readonly signal: AbortSignal,
  ) {
    const { scope, key, token } = one;
    this.held = { scope, key, token };
    this.id = naturalKeyOf(this.held);
    this.attempt = one.attempt;
    this.ageMs = one.ageMs;
    this.begun = one.attempt > 1;
  }

  reach<T>(point: string, step: (tx: K['tx']) => Promise<T>): Promise<T> {
    return this.once(point, () => this.transact(point, step));
  }

  call<C, T>(point: string, call: () => Promise<C>, step: (tx: K['tx'], called: C) => Promise<T>): Promise<T> {
    return this.once(point, async () => {
      this.begun = true;
      const called = await call();
      return this.transact(point, (tx) => step(tx, called));
    });
  }

  async finish(step: (tx: K['tx']) => Promise<Answer> | Answer): Promise<Done> {
    const { held, one } = this;
    const answer = await this.own.transaction(async (tx) => {
      const made = await step(tx);
      await writeEnds(tx, this.ledger, [{ held, kept: one.kept, answer: made }]);
      return made;
    });
    return { answer };
  }

  async finishWith<Row>(answer: Answer, save: SaveAll<Row, K>, row: Row, tenant?: string): Promise<Done> {
    await this.ending.submit({ held: this.held, kept: this.one.kept, answer, save, row, tenant });
    return { answer };
  }

  /** Ends the work with a refusal that it has thrown. */
  refuse(problem: Problem): Promise<Done> {
    return this.finish(() => refusalOf(problem));
  }

  /** Frees the key of work that has done nothing. */
  async forget(): Promise<void> {
    await this.own.transaction((tx) => this.ledger.forget(tx, this.held));
  }

  /** Gives the lease back, so that the next attempt need not wait. Returns false if somebody else has the lease. */
  async giveBack(): Promise<boolean> {
    const kept = await this.ledger.extend(this.store, [this.held], 0).catch(() => undefined);
    return !kept || kept.has(this.held.token);
  }

  private async once<T>(point: string, run: () => Promise<T>): Promise<T> {
    const { points } = this.one;
    return Object.hasOwn(points, point) ? (points[point] as T) : run();
  }

  private async transact<T>(point: string, step: (tx: K['tx']) => Promise<T>): Promise<T> {
    const result = await this.own.transaction(async (tx) => {
      const made = await step(tx);
      await this.ledger.savePoint(tx, this.held, { name: point, result: made });
      return made;
    });
    this.begun = true;
    // The value is what a later attempt will get. So data that JSON cannot hold is noticed at once, and not after the
    // first crash.
    return JSON.parse(JSON.stringify(result) ?? 'null') as T;
  }
}

/** Ends these works in one transaction. @throws LeaseLostError if somebody else has taken over one of them */
export async function endTogether<K extends Kind>(
  store: Store<K>,
  ledger: Ledger<K>,
  endings: readonly Ending<K>[],
): Promise<void[]> {
  await store.transaction(async (tx) => {
    for (const [save, rows] of rowsBySave(endings)) save(tx, rows as never[]);
    await writeEnds(tx, ledger, endings);
  });
  return endings.map(() => undefined);
}

/** Stores these answers. Frees the keys of the answers that are not kept. */
async function writeEnds<K extends Kind>(
  tx: K['tx'],
  ledger: Ledger<K>,
  endings: readonly Pick<Ending<K>, 'held' | 'kept' | 'answer'>[],
): Promise<void> {
  const finished = endings
    .filter(({ answer }) => isKept(answer))
    .map(({ held, kept: { redact, retentionHours }, answer }) => {
      return { ...held, answer: withoutSecrets(answer, redact), retentionHours };
    });
  const freed = endings.filter(({ answer }) => !isKept(answer));
  await Promise.all([ledger.complete(tx, finished), ...freed.map(({ held }) => ledger.forget(tx, held))]);
}

function rowsBySave<K extends Kind>(endings: readonly Ending<K>[]): Map<SaveAll<never, K>, unknown[]> {
  const rows = new Map<SaveAll<never, K>, unknown[]>();
  for (const { save, row } of endings) rows.set(save, [...(rows.get(save) ?? []), row]);
  return rows;
}
