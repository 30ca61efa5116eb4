/**
 * Works the backfills of a service off, in one of its replicas at a time.
 *
 * It looks for a backfill that runs and that nobody works on, takes the lease, and does step after step at the rate that
 * operators have said, until the backfill is done, paused, or taken away. After a failure it gives the lease back, and
 * whoever takes it next reads the checkpoint anew. So a commit whose answer was lost is neither forgotten nor repeated.
 */
import { randomUUID } from 'node:crypto';
import { counter, histogram, type Logger, printable } from '@shop/observability';
import type { Database } from '@shop/postgres';
import { type Backoff, delayOf, Repeating, RetryableError, TerminalError } from '@shop/resilience';
import type { Backfill } from './backfill';
import { type Held, type Lease, recordFailure, releaseLease, takeBackfill } from './backfill.repository';
import { LeaseLostError, workUnderLease } from './work-under-lease';

export interface BackfillWorkerOptions {
  database: Database;
  backfills: readonly Backfill[];
  logger: Logger;
  /** How long others wait for a replica that was killed. */
  leaseMs?: number;
}

/** A look is one statement on a table of a few rows. */
const LOOK_EVERY_MS = 1_000;
const LEASE_MS = 5_000;
/** A neighbour may be away for a while; behind so many tries, about a quarter of an hour, a person should look. */
const MAX_FAILURES = 20;
const retry: Backoff = { firstMs: 500, maxMs: 60_000, factor: 2 };
/** What the column takes. */
const MAX_REASON_LENGTH = 500;

const rowsWorked = counter('backfill_rows_total', 'Rows that backfills have worked on', ['backfill']);
const stepsFailed = counter('backfill_failures_total', 'Steps of backfills that failed', ['backfill']);
const stepSeconds = histogram(
  'backfill_step_duration_seconds',
  'How long the transaction of a step takes',
  ['backfill'],
  [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
);

export class BackfillWorker {
  private readonly byName: ReadonlyMap<string, Backfill>;
  private readonly stopping = new AbortController();
  private readonly looking: Repeating;
  private readonly leaseMs: number;

  constructor(private readonly options: BackfillWorkerOptions) {
    this.byName = new Map(options.backfills.map((backfill) => [backfill.name, backfill]));
    this.leaseMs = options.leaseMs ?? LEASE_MS;
    this.looking = new Repeating(() => this.workOff(), {
      everyMs: LOOK_EVERY_MS,
      onFailure: (error) => options.logger.warn({ reason: reasonOf(error) }, 'backfill.look.failed'),
    });
  }

  start(): void {
    if (this.byName.size > 0) this.looking.start();
  }

  /** Resolves when the current step has ended. Another replica goes on at once. */
  async stop(): Promise<void> {
    this.stopping.abort(new Error('the service stops'));
    await this.looking.stop();
  }

  /** Works until no backfill runs that is due and free. */
  async workOff(): Promise<void> {
    const { database } = this.options;
    const names = [...this.byName.keys()];
    while (!this.stopping.signal.aborted) {
      const token = randomUUID();
      const held = await takeBackfill(database, { names, token, leaseMs: this.leaseMs });
      if (!held) return;
      await this.work(held, { name: held.name, token, leaseMs: this.leaseMs });
    }
  }

  private async work(held: Held, lease: Lease): Promise<void> {
    const { database, logger } = this.options;
    const { name } = held;
    let { failures } = held;
    let isDone = false;
    logger.info({ backfill: name, failures }, 'backfill.taken');
    try {
      const backfill = this.byName.get(name)!;
      const steps = workUnderLease({ database, backfill, held, lease, stop: this.stopping.signal });
      for await (const { worked, done, seconds } of steps) {
        failures = 0;
        isDone = done;
        rowsWorked.inc({ backfill: name }, worked);
        stepSeconds.observe({ backfill: name }, seconds);
      }
      await releaseLease(database, lease);
      logger.info({ backfill: name }, isDone ? 'backfill.done' : 'backfill.left');
    } catch (error) {
      if (error instanceof LeaseLostError) logger.info({ backfill: name }, 'backfill.lease.lost');
      else await this.failed(lease, error, failures + 1);
    }
  }

  private async failed(lease: Lease, error: unknown, failures: number): Promise<void> {
    const { database, logger } = this.options;
    const isFinal = error instanceof TerminalError || failures >= MAX_FAILURES;
    const againInMs = isFinal ? undefined : waitAfter(error, failures);
    const reason = reasonOf(error);
    stepsFailed.inc({ backfill: lease.name });
    const status = await recordFailure(database, lease, { reason, againInMs });
    const line = { backfill: lease.name, failures, reason, againInMs };
    if (status === 'failed') logger.error(line, 'backfill.failed');
    else logger.warn(line, 'backfill.step.failed');
  }
}

function waitAfter(error: unknown, failures: number): number {
  const asked = error instanceof RetryableError ? (error.retryAfterMs ?? 0) : 0;
  return Math.min(retry.maxMs, Math.max(asked, delayOf(retry, failures)));
}

const reasonOf = (error: unknown): string =>
  printable(error instanceof Error ? `${error.name}: ${error.message}` : 'unknown').slice(0, MAX_REASON_LENGTH);
