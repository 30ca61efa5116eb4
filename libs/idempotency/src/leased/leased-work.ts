/** One attempt at leased work, as the code of the work sees it. */
import type { Lane } from '@shop/postgres';
import type { Problem } from '@shop/problem';
import { type Answer, refusalOf } from '../answer';
import type { Held, Kind, Ledger, Postgres, Store, Transactions } from '../ledger/ledger';
import { naturalKeyOf } from '../natural-key';
import { type KeptInput, type SaveAll, type SharedStep, writeEnds } from './shared-steps';

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
  /**
   * Whether an undo of this work has come. Then nobody wants its effect any more, and it should do no more than it has
   * to. It is up to date at the start of an attempt and behind each point that the attempt reaches. An undo that comes
   * later waits for the end of the work, whatever that is.
   */
  readonly undone: boolean;
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
   * Reaches a point together with other works that reach a point or end at the same time. They share one transaction,
   * and `save` writes the rows of all of them with one statement. The result of the point is `row` (JSON), so it has
   * nothing that may not stay in the ledger until the work is done. A work reaches one such point at a time.
   * @throws LeaseLostError like `reach`
   */
  reachWith<Row>(point: string, save: SaveAll<Row, K>, row: Row, tenant?: string): Promise<Row>;
  /** Makes a call like `call`, then reaches the point with the row of the call like `reachWith`. */
  callWith<C, Row>(
    point: string,
    call: () => Promise<C>,
    save: SaveAll<Row, K>,
    rowOf: (called: C) => Row,
    tenant?: string,
  ): Promise<Row>;
  /**
   * Runs the last transaction, which also stores the answer. An answer that is not final frees the key instead. Then
   * nothing may be left outside that a new run would do twice.
   */
  finish(step: (tx: K['tx']) => Promise<Answer> | Answer): Promise<Done>;
  /**
   * The same together with other works that end or reach a point at the same time. They share one transaction, and
   * `save` writes the rows of all of them with one statement. The works of several tenants end in turn.
   */
  finishWith<Row>(answer: Answer, save: SaveAll<Row, K>, row: Row, tenant?: string): Promise<Done>;
}

/** Only `finish` and `finishWith` make this value. */
export interface Done {
  readonly answer: Answer;
}

export type LeasedRun<Input, K extends Kind = Postgres> = (work: LeasedWork<K>, input: Input) => Promise<Done>;

export interface Attempt extends Held {
  /** The name of the work. */
  name: string;
  kept: KeptInput;
  /** The results of the points that were reached, by name. */
  points: Record<string, unknown>;
  attempt: number;
  ageMs: number;
  undone: boolean;
}

export class LeasedAttempt<K extends Kind> implements LeasedWork<K> {
  readonly id: string;
  readonly attempt: number;
  readonly ageMs: number;
  undone: boolean;
  /** Whether anything of the work may have been done, in this attempt or in an earlier one. */
  begun: boolean;
  private readonly held: Held;

  constructor(
    private readonly store: Store<K>,
    /** Those that the work has for itself. */
    private readonly own: Transactions<K>,
    private readonly ledger: Ledger<K>,
    private readonly shared: Lane<SharedStep<K>, boolean>,
    private readonly one: Attempt,
    readonly signal: AbortSignal,
  ) {
    const { scope, key, token } = one;
    this.held = { scope, key, token };
    this.id = naturalKeyOf(this.held);
    this.attempt = one.attempt;
    this.ageMs = one.ageMs;
    this.undone = one.undone;
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

  reachWith<Row>(point: string, save: SaveAll<Row, K>, row: Row, tenant?: string): Promise<Row> {
    return this.once(point, () => this.share(point, save, row, tenant));
  }

  callWith<C, Row>(
    point: string,
    call: () => Promise<C>,
    save: SaveAll<Row, K>,
    rowOf: (called: C) => Row,
    tenant?: string,
  ): Promise<Row> {
    return this.once(point, async () => {
      this.begun = true;
      return this.share(point, save, rowOf(await call()), tenant);
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
    const ending = { held: this.held, kept: this.one.kept, answer };
    await this.shared.submit({ write: { ending }, save, row, tenant });
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
    const { held } = this;
    const { result, undone } = await this.own.transaction(async (tx) => {
      const made = await step(tx);
      const marked = await this.ledger.savePoints(tx, [{ ...held, point, result: made }]);
      return { result: made, undone: marked.has(held.token) };
    });
    return this.reached(result, undone);
  }

  private async share<Row>(point: string, save: SaveAll<Row, K>, row: Row, tenant?: string): Promise<Row> {
    const reached = { ...this.held, point, result: row };
    return this.reached(row, await this.shared.submit({ write: { reached }, save, row, tenant }));
  }

  private reached<T>(result: T, undone: boolean): T {
    this.begun = true;
    this.undone ||= undone;
    // The value is what a later attempt will get. So data that JSON cannot hold is noticed at once, and not after the
    // first crash.
    return JSON.parse(JSON.stringify(result) ?? 'null') as T;
  }
}
