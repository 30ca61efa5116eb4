/**
 * A backfill: work on what was there before, told as a name, a batch and a step. The step and the checkpoint behind it are
 * one transaction, so each row is worked on once, whenever the process dies.
 */
import type { Tx } from '@shop/postgres';

/** Where a backfill is: whatever its step can go on from. It is kept as JSON. */
export type Cursor = string | number | boolean | null | readonly Cursor[] | { readonly [name: string]: Cursor };

interface Told {
  /** In kebab-case. It never changes, because the checkpoint is kept under it. */
  name: string;
  /** One line for operators: what it does. */
  title: string;
  /** The most rows a second, unless an operator says otherwise. */
  ratePerSecond: number;
  /** The most rows of one step. A step is one short transaction, so that its locks are in nobody's way. */
  batch: number;
  /** About how many rows there are. It is asked for once, when a run begins. */
  estimate?(): Promise<number>;
}

/** How far a step has come. */
export interface Stretch<Place extends Cursor> {
  cursor: Place;
  /** Rows that were looked at. They are what the rate is about. */
  worked: number;
  /** Whether nothing is left behind the cursor. */
  done: boolean;
}

/** A backfill of a table of its own database. */
export interface TableBackfill<Place extends Cursor> extends Told {
  /** Works on up to `limit` rows behind the cursor; `undefined` is the beginning. */
  step(tx: Tx, cursor: Place | undefined, limit: number): Promise<Stretch<Place>>;
}

/** A backfill of what another service tells. It is read in no transaction. */
export interface ReadBackfill<Place extends Cursor, Row> extends Told {
  /** Reads about `limit` rows behind the cursor. It may read again what it has read, and nothing is kept of that. */
  read(cursor: Place | undefined, limit: number): Promise<{ rows: readonly Row[]; cursor: Place; done: boolean }>;
  step(tx: Tx, rows: readonly Row[]): Promise<void>;
}

/** What the worker does with either kind. */
export interface Backfill extends Told {
  /** What needs no transaction, and then what needs one. */
  prepare(cursor: Cursor | undefined, limit: number): Promise<(tx: Tx) => Promise<Stretch<Cursor>>>;
}

/** A name is the key of a row, and a part of an address. */
const NAME = /^[a-z][a-z0-9-]{0,63}$/;
/** More rows at once would hold their locks for longer than a request waits. */
const MAX_BATCH = 1_000;
export const MAX_RATE_PER_SECOND = 100_000;

/** @throws RangeError for a backfill that cannot be run */
export function defineBackfill<Place extends Cursor>(backfill: TableBackfill<Place>): Backfill;
export function defineBackfill<Place extends Cursor, Row>(backfill: ReadBackfill<Place, Row>): Backfill;
export function defineBackfill<Place extends Cursor, Row>(
  backfill: TableBackfill<Place> | ReadBackfill<Place, Row>,
): Backfill {
  const { name, title, ratePerSecond, batch } = backfill;
  const isWhole = (count: number, most: number) => Number.isInteger(count) && count >= 1 && count <= most;
  if (!NAME.test(name)) throw new RangeError(`"${name}" cannot be the name of a backfill: use kebab-case`);
  if (!isWhole(batch, MAX_BATCH)) throw new RangeError(`the batch of ${name} must be from 1 to ${MAX_BATCH}`);
  if (!isWhole(ratePerSecond, MAX_RATE_PER_SECOND)) throw new RangeError(`the rate of ${name} must be at least 1`);
  const estimate = backfill.estimate && (() => backfill.estimate!());
  const prepare = 'read' in backfill ? reading(backfill) : working(backfill);
  return { name, title, ratePerSecond, batch, estimate, prepare };
}

function working<Place extends Cursor>(backfill: TableBackfill<Place>): Backfill['prepare'] {
  return async (cursor, limit) => (tx) => backfill.step(tx, cursor as Place | undefined, limit);
}

function reading<Place extends Cursor, Row>(backfill: ReadBackfill<Place, Row>): Backfill['prepare'] {
  return async (cursor, limit) => {
    const { rows, cursor: next, done } = await backfill.read(cursor as Place | undefined, limit);
    return async (tx) => {
      if (rows.length > 0) await backfill.step(tx, rows);
      return { cursor: next, worked: rows.length, done };
    };
  };
}
