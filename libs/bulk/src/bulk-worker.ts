/**
 * Carries out the bulk acts of one kind, each in one replica at a time, at its rate. What a step does and its results are
 * one transaction: whenever a process is killed, another one goes on behind the last step that was committed.
 *
 * Where an act is also handed over outside, the row says so when the act is committed, and is done when the other side has
 * it. So a process that is killed between the two leaves a row that is handed over again, and none that is forgotten.
 */
import { randomUUID } from 'node:crypto';
import { counter, type Logger } from '@shop/observability';
import { type Database, isPassing, type Tx } from '@shop/postgres';
import { Pace, Repeating, RetryableError, withTimeout } from '@shop/resilience';
import type { BulkKind, HeldAct } from './bulk-kind';
import {
  type BulkLease,
  lockAct,
  nextRows,
  releaseAct,
  type RowResult,
  takeAct,
  type WaitingRow,
  writeResults,
} from './bulk-work.repository';

export interface BulkWorkerOptions {
  database: Database;
  kind: BulkKind;
  logger: Logger;
  /** How long others wait for a replica that was killed. Longer than a step and the wait before it. */
  leaseMs?: number;
}

/** A look is one statement on an index of the acts that run. */
const LOOK_EVERY_MS = 1_000;
const LEASE_MS = 5_000;
/** A slow act goes on for long, and others should not wait for it. Each takes a connection for a step. */
const MAX_AT_ONCE = 4;
/** Four steps a second at a low rate, so that what they send is spread; and no step takes long. */
const STEPS_PER_SECOND = 4;
const MAX_STEP = 50;
/** The lease is longer, so that what was handed over is written down by the one who did it. */
const HAND_OVER_WITHIN_MS = 2_000;
/** The database or the other side is away, or some other trouble that will pass. */
const AGAIN_IN_MS = 2_000;

const rowsActedOn = counter(
  'bulk_act_rows_total',
  'Rows of bulk acts that are over, by kind and by what came of them',
  ['kind', 'outcome'],
);

/** Thrown when the act was stopped, or somebody else has taken it over. Nothing of the step was kept. */
class LeaseLostError extends Error {}

interface Step {
  rows: number;
  /** Nothing is left to do. */
  isOver: boolean;
}

export class BulkWorker {
  private readonly stopping = new AbortController();
  private readonly looking: Repeating;
  private readonly working = new Set<Promise<void>>();
  private readonly leaseMs: number;

  constructor(private readonly options: BulkWorkerOptions) {
    this.leaseMs = options.leaseMs ?? LEASE_MS;
    this.looking = new Repeating(() => this.look(), {
      everyMs: LOOK_EVERY_MS,
      onFailure: (error) =>
        options.logger.warn({ kind: options.kind.name, reason: (error as Error).message }, 'bulk.act.look.failed'),
    });
  }

  start(): void {
    this.looking.start();
  }

  /** Resolves when the current steps have ended. Another replica goes on at once. */
  async stop(): Promise<void> {
    this.stopping.abort(new Error('the service stops'));
    await this.looking.stop();
    await Promise.all(this.working);
  }

  /** Takes what is free, and does not wait until it is done. */
  async look(): Promise<void> {
    const { database, kind } = this.options;
    while (!this.stopping.signal.aborted && this.working.size < MAX_AT_ONCE) {
      const token = randomUUID();
      const held = await takeAct(database, kind.name, { token, leaseMs: this.leaseMs });
      if (!held) return;
      const work: Promise<void> = this.work(held, { id: held.id, token, leaseMs: this.leaseMs }).finally(() =>
        this.working.delete(work),
      );
      this.working.add(work);
    }
  }

  private async work({ id, act, ratePerSecond }: HeldAct, lease: BulkLease): Promise<void> {
    const { database, kind, logger } = this.options;
    const line = { batchId: id, kind: kind.name, act };
    logger.info(line, 'bulk.act.taken');
    try {
      const isOver = await this.stepOn(lease, ratePerSecond);
      if (!isOver) await releaseAct(database, lease);
      logger.info(line, isOver ? 'bulk.act.done' : 'bulk.act.left');
    } catch (error) {
      if (error instanceof LeaseLostError) return logger.info(line, 'bulk.act.lease.lost');
      logger.warn({ ...line, reason: (error as Error).message }, 'bulk.act.step.failed');
      // If this fails too, the lease ends by itself.
      await releaseAct(database, lease, AGAIN_IN_MS).catch(() => undefined);
    }
  }

  /** Until the act is over, or the service stops. Returns whether it is over. */
  private async stepOn(lease: BulkLease, ratePerSecond: number): Promise<boolean> {
    const { signal } = this.stopping;
    const most = Math.min(MAX_STEP, Math.max(1, Math.floor(ratePerSecond / STEPS_PER_SECOND)));
    const pace = new Pace({ perSecond: ratePerSecond, burst: most });
    /** So many are tried alone, behind a step that failed: one of them cannot be done. */
    let alone = 0;
    while (!signal.aborted) {
      const limit = alone > 0 ? 1 : most;
      await pace.take(limit, signal).catch(() => undefined);
      if (signal.aborted) return false;
      try {
        const { rows, isOver } = await this.step(lease, limit);
        alone = Math.max(0, alone - rows);
        if (isOver) return true;
      } catch (error) {
        if (error instanceof LeaseLostError || error instanceof RetryableError || isPassing(error)) throw error;
        if (limit > 1) alone = limit;
        else if (await this.giveUp(lease, error)) return true;
      }
    }
    return false;
  }

  private async step(lease: BulkLease, limit: number): Promise<Step> {
    const { database, kind } = this.options;
    const { act, owed, ...step } = await database.transaction(async (tx) => {
      const act = await lockLeased(tx, lease);
      const rows = await nextRows(tx, act, limit);
      const fresh = rows.filter(({ owed }) => !owed);
      const codes = fresh.length > 0 ? await kind.act(tx, act, fresh) : [];
      const possible = kind.handOver?.[act.act] ? 'waiting' : 'done';
      const results = fresh.map(({ position }, index) => resultOf(position, codes[index], possible));
      const isOver = await this.write(tx, lease, results);
      const isOwed = new Set(results.flatMap(({ outcome, position }) => (outcome === 'waiting' ? [position] : [])));
      const owed = rows.filter((row) => row.owed || isOwed.has(row.position));
      return { act: act.act, owed, rows: rows.length, isOver };
    }, kind.mayRunAgain);
    return owed.length === 0 ? step : { ...step, isOver: await this.handOver(lease, act, owed) };
  }

  /**
   * What the other side has taken is written down; what it cannot take is given up. Returns whether the act is over.
   * @throws RetryableError when it is away: those rows wait
   */
  private async handOver(lease: BulkLease, act: string, owed: readonly WaitingRow[]): Promise<boolean> {
    const tried = await Promise.all(owed.map((row) => this.handOverOne(lease, act, row)));
    const results = tried.filter((result) => 'position' in result);
    const isOver = await this.options.database.transaction(async (tx) => {
      await lockLeased(tx, lease);
      return this.write(tx, lease, results);
    });
    const away = tried.find((result) => result instanceof RetryableError);
    if (away) throw away;
    return isOver;
  }

  private async handOverOne(
    { id }: BulkLease,
    act: string,
    { position, subjectId }: WaitingRow,
  ): Promise<RowResult | RetryableError> {
    const { kind, logger } = this.options;
    try {
      await withTimeout(kind.handOver![act]!(subjectId), HAND_OVER_WITHIN_MS, 'the hand-over');
      return resultOf(position, undefined, 'done');
    } catch (error) {
      if (error instanceof RetryableError) return error;
      if (isPassing(error)) return new RetryableError('the database did not answer', { cause: error });
      const reason = (error as Error).message;
      logger.error({ batchId: id, kind: kind.name, [kind.idField]: subjectId, reason }, 'bulk.act.row.failed');
      return resultOf(position, INTERNAL_ERROR, 'done');
    }
  }

  /** What cannot be done, even alone, must not hold up the others. Returns whether the act is over with that. */
  private async giveUp(lease: BulkLease, error: unknown): Promise<boolean> {
    const { database, kind, logger } = this.options;
    return database.transaction(async (tx) => {
      const act = await lockLeased(tx, lease);
      const [row] = await nextRows(tx, act, 1);
      if (!row) return true;
      const reason = (error as Error).message;
      const line = { batchId: lease.id, kind: kind.name, [kind.idField]: row.subjectId, reason };
      tx.afterCommit(() => logger.error(line, 'bulk.act.row.failed'));
      return this.write(tx, lease, [resultOf(row.position, INTERNAL_ERROR, 'done')]);
    });
  }

  /** Returns whether the act is over. */
  private async write(tx: Tx, { id }: BulkLease, results: readonly RowResult[]): Promise<boolean> {
    const { status, owes } = await writeResults(tx, id, results);
    tx.afterCommit(() => {
      for (const { outcome } of results) {
        if (outcome !== 'waiting') rowsActedOn.inc({ kind: this.options.kind.name, outcome });
      }
    });
    return status !== 'running' && !owes;
  }
}

/** Something is wrong with one row; the log says what. */
const INTERNAL_ERROR = 'internal_error';

const resultOf = (position: number, code: string | undefined, possible: 'done' | 'waiting'): RowResult =>
  code === undefined ? { position, outcome: possible } : { position, outcome: 'failed', code };

/** @throws LeaseLostError */
async function lockLeased(tx: Tx, lease: BulkLease): Promise<HeldAct> {
  const act = await lockAct(tx, lease);
  if (!act) throw new LeaseLostError();
  return act;
}
