/**
 * Carries out batches of acts, each in one replica at a time, at its rate. The acts of a step and their results are one
 * transaction: whenever a process is killed, another one goes on behind the last step that was committed.
 */
import { randomUUID } from 'node:crypto';
import { counter, type Logger } from '@shop/observability';
import { type Database, isPassing, isUniqueViolation, type Tx } from '@shop/postgres';
import { Pace, Repeating } from '@shop/resilience';
import type { NotMoved } from '../decide-batch';
import type { SagaEngine } from '../saga.engine';
import { HISTORY_PRIMARY_KEY, type SagaRow } from '../saga.repository';
import type { OperatorEvent } from '../saga-state';
import {
  type BatchLease,
  type HeldBatch,
  lockBatch,
  nextRows,
  releaseBatch,
  takeBatch,
  writeOutcomes,
} from './batch-work.repository';
import type { BatchAct } from './saga-batch';

export interface BatchWorkerOptions {
  database: Database;
  engine: SagaEngine;
  logger: Logger;
  /** Why an act is none for a saga, beside what its definition says. */
  refusedFor?: (act: BatchAct, saga: SagaRow) => NotMoved | undefined;
  /** How long others wait for a replica that was killed. Longer than a step and the wait before it. */
  leaseMs?: number;
}

/** A look is one statement on an index of the batches that run. */
const LOOK_EVERY_MS = 1_000;
const LEASE_MS = 5_000;
/** A slow batch goes on for long, and others should not wait for it. Each takes a connection for a step. */
const MAX_AT_ONCE = 4;
/** Four steps a second at a low rate, so that what they send is spread; and no step takes long. */
const STEPS_PER_SECOND = 4;
const MAX_STEP = 50;
/** The database is away, or some other trouble that will pass. */
const AGAIN_IN_MS = 2_000;

const rowsActedOn = counter('saga_batch_rows_total', 'Sagas that batches have acted on, by what came of it', [
  'outcome',
]);

/** Thrown when the batch was stopped, or somebody else has taken it over. Nothing of the step was kept. */
class LeaseLostError extends Error {}

export class BatchWorker {
  private readonly stopping = new AbortController();
  private readonly looking: Repeating;
  private readonly working = new Set<Promise<void>>();
  private readonly leaseMs: number;

  constructor(private readonly options: BatchWorkerOptions) {
    this.leaseMs = options.leaseMs ?? LEASE_MS;
    this.looking = new Repeating(() => this.look(), {
      everyMs: LOOK_EVERY_MS,
      onFailure: (error) => options.logger.warn({ reason: (error as Error).message }, 'saga.batch.look.failed'),
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
    while (!this.stopping.signal.aborted && this.working.size < MAX_AT_ONCE) {
      const token = randomUUID();
      const held = await takeBatch(this.options.database, { token, leaseMs: this.leaseMs });
      if (!held) return;
      const work: Promise<void> = this.work(held, { id: held.id, token, leaseMs: this.leaseMs }).finally(() =>
        this.working.delete(work),
      );
      this.working.add(work);
    }
  }

  private async work({ id, act, ratePerSecond }: HeldBatch, lease: BatchLease): Promise<void> {
    const { database, logger } = this.options;
    const line = { batchId: id, act };
    logger.info(line, 'saga.batch.taken');
    try {
      const isDone = await this.stepOn(lease, ratePerSecond);
      if (!isDone) await releaseBatch(database, lease);
      logger.info(line, isDone ? 'saga.batch.done' : 'saga.batch.left');
    } catch (error) {
      if (error instanceof LeaseLostError) return logger.info(line, 'saga.batch.lease.lost');
      logger.warn({ ...line, reason: (error as Error).message }, 'saga.batch.step.failed');
      // If this fails too, the lease ends by itself.
      await releaseBatch(database, lease, AGAIN_IN_MS).catch(() => undefined);
    }
  }

  /** Until the batch is done, or the service stops. Returns whether it is done. */
  private async stepOn(lease: BatchLease, ratePerSecond: number): Promise<boolean> {
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
        const { rows, isDone } = await this.step(lease, limit);
        alone = Math.max(0, alone - rows);
        if (isDone) return true;
      } catch (error) {
        if (error instanceof LeaseLostError || isPassing(error)) throw error;
        if (limit > 1) alone = limit;
        else if (await this.giveUp(lease, error)) return true;
      }
    }
    return false;
  }

  private async step(lease: BatchLease, limit: number): Promise<{ rows: number; isDone: boolean }> {
    const { database, engine, refusedFor } = this.options;
    return database.transaction(
      async (tx) => {
        const batch = await lockLeased(tx, lease);
        const rows = await nextRows(tx, batch.id, limit);
        const reasons = await engine.decideSeen(
          tx,
          rows.map(({ sagaId, version }) => ({
            sagaId,
            version,
            event: eventOf(batch),
            refusedFor: refusedFor && ((saga: SagaRow) => refusedFor(batch.act, saga)),
          })),
        );
        const outcomes = rows.map(({ position }, index) => ({ position, code: reasons[index] }));
        const status = await writeOutcomes(tx, batch.id, outcomes);
        tx.afterCommit(() => {
          for (const { code } of outcomes) rowsActedOn.inc({ outcome: code === undefined ? 'done' : 'failed' });
        });
        return { rows: rows.length, isDone: status === 'done' };
      },
      // Another replica has moved one of the sagas from its memory meanwhile. Run again, and read.
      (error) => isUniqueViolation(error, HISTORY_PRIMARY_KEY),
    );
  }

  /** What cannot be done, even alone, must not hold up the others. Returns whether the batch is done with that. */
  private async giveUp(lease: BatchLease, error: unknown): Promise<boolean> {
    const { database, logger } = this.options;
    return database.transaction(async (tx) => {
      const batch = await lockLeased(tx, lease);
      const [row] = await nextRows(tx, batch.id, 1);
      if (!row) return true;
      const status = await writeOutcomes(tx, batch.id, [{ position: row.position, code: 'internal_error' }]);
      tx.afterCommit(() => {
        rowsActedOn.inc({ outcome: 'failed' });
        const line = { batchId: lease.id, sagaId: row.sagaId, reason: (error as Error).message };
        logger.error(line, 'saga.batch.row.failed');
      });
      return status === 'done';
    });
  }
}

/** @throws LeaseLostError */
async function lockLeased(tx: Tx, lease: BatchLease): Promise<HeldBatch> {
  const batch = await lockBatch(tx, lease);
  if (!batch) throw new LeaseLostError();
  return batch;
}

function eventOf({ act, madeBy: by, reason }: HeldBatch): OperatorEvent {
  // A reason is needed to skip; the table of batches cannot say so.
  return act === 'skip'
    ? { type: 'operator', act, by, reason: reason ?? 'none given' }
    : { type: 'operator', act, by, reason: reason ?? undefined };
}
