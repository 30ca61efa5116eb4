/** One attempt at leased work, as the code of the work sees it. */
import type { Lane } from '@shop/postgres';
import type { Problem } from '@shop/problem';
import { type Answer, refusalOf } from '../answer';
import type { Held, Kind, Ledger, Postgres, Store } from '../ledger/ledger';
import { naturalKeyOf } from '../natural-key';
import { isKept, withoutSecrets } from '../policy';

export interface LeasedWork<K extends Kind = Postgres> {
  /**
   * The same for every try of this work, and for no other: the key for outside calls, with a suffix of your own where
   * there are several. 64 characters.
   */
  readonly id: string;
  /** From 1. */
  readonly attempt: number;
  /** Since the work was claimed, by the clock of the store; 0 in the first attempt. */
  readonly ageMs: number;
  /** Aborts when somebody else has taken the work over. */
  readonly signal: AbortSignal;
  /**
   * Runs `step` in a transaction and makes its result (JSON) a recovery point: a later try gets the result without
   * running it again. @throws LeaseLostError, or what the ledger says for it; let it pass
   */
  reach<T>(point: string, step: (tx: K['tx']) => Promise<T>): Promise<T>;
  /**
   * Calls outside, in no transaction, then reaches the point with what came of it. A later try that finds the point
   * reached does neither; one that does not makes the call again, with the same key.
   */
  call<C, T>(point: string, call: () => Promise<C>, step: (tx: K['tx'], called: C) => Promise<T>): Promise<T>;
  /**
   * Runs the last transaction, which also stores the answer. An answer that is not final frees the key instead, so nothing
   * may be left outside that a new run would double.
   */
  finish(step: (tx: K['tx']) => Promise<Answer> | Answer): Promise<Done>;
  /**
   * The same for many works that end at the same time: they share one transaction, in which `save` writes the rows of all
   * of them in one statement.
   */
  finishWith<Row>(answer: Answer, save: SaveAll<Row, K>, row: Row): Promise<Done>;
}

/** Only sends, since the works of others wait for it. */
export type SaveAll<Row, K extends Kind = Postgres> = (tx: K['tx'], rows: readonly Row[]) => void;

/** What only `finish` makes. */
export interface Done {
  readonly answer: Answer;
}

export type LeasedRun<Input, K extends Kind = Postgres> = (work: LeasedWork<K>, input: Input) => Promise<Done>;

/** What is kept as the input: the work's own, and how its answer is to be kept. */
export interface KeptInput {
  input: unknown;
  retentionHours?: number;
  redact?: readonly string[];
}

export interface Attempt extends Held {
  /** Of the work. */
  name: string;
  kept: KeptInput;
  /** The results of the points that were reached, by name. */
  points: Record<string, unknown>;
  attempt: number;
  ageMs: number;
}

/** The end of a work, which is written in one transaction with others. */
export interface Ending<K extends Kind> {
  held: Held;
  kept: KeptInput;
  answer: Answer;
  save: SaveAll<never, K>;
  row: unknown;
}

export class LeasedAttempt<K extends Kind> implements LeasedWork<K> {
  readonly id: string;
  readonly attempt: number;
  readonly ageMs: number;
  /** Whether anything of the work may have been done, now or in an earlier try. */
  begun: boolean;
  private readonly held: Held;

  constructor(
    private readonly store: Store<K>,
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
    const answer = await this.store.transaction(async (tx) => {
      const made = await step(tx);
      await writeEnds(tx, this.ledger, [{ held, kept: one.kept, answer: made }]);
      return made;
    });
    return { answer };
  }

  async finishWith<Row>(answer: Answer, save: SaveAll<Row, K>, row: Row): Promise<Done> {
    await this.ending.submit({ held: this.held, kept: this.one.kept, answer, save, row });
    return { answer };
  }

  /** Ends the work with a refusal that it has thrown. */
  refuse(problem: Problem): Promise<Done> {
    return this.finish(() => refusalOf(problem));
  }

  /** Frees the key of work of which nothing was done. */
  async forget(): Promise<void> {
    await this.store.transaction((tx) => this.ledger.forget(tx, this.held));
  }

  /** Gives the lease back, so that the next one need not wait; false if it is somebody else's by now. */
  async giveBack(): Promise<boolean> {
    const kept = await this.ledger.extend(this.store, [this.held], 0).catch(() => undefined);
    return !kept || kept.has(this.held.token);
  }

  private async once<T>(point: string, run: () => Promise<T>): Promise<T> {
    const { points } = this.one;
    return Object.hasOwn(points, point) ? (points[point] as T) : run();
  }

  private async transact<T>(point: string, step: (tx: K['tx']) => Promise<T>): Promise<T> {
    const result = await this.store.transaction(async (tx) => {
      const made = await step(tx);
      await this.ledger.savePoint(tx, this.held, { name: point, result: made });
      return made;
    });
    this.begun = true;
    // As a later try gets it, so that what JSON cannot hold is missed at once and not after the first crash.
    return JSON.parse(JSON.stringify(result) ?? 'null') as T;
  }
}

/** Ends these works in one transaction. @throws LeaseLostError if one of them is somebody else's by now */
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

/** Stores these answers, or frees the keys of those that are not kept. */
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
