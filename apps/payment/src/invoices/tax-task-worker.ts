/**
 * Tells the tax service of invoices and credit notes. Every replica does so, each of others: a row is taken for the time
 * of a lease, and whoever finishes names its attempt. Money never waits for this.
 */
import { counter, gauge, inTraceOf, type Logger } from '@shop/observability';
import type { Database } from '@shop/postgres';
import { Repeating } from '@shop/resilience';
import { type Tax, TaxRefusedError } from './tax';
import { type TakenTask, countTasks, finishTask, removeDone, takeOpenTasks } from './tax-tasks.repository';
import type { TaxTaskStatus } from './tax-task';

export interface TaxTaskWorkerOptions {
  database: Database;
  tax: Pick<Tax, 'commit' | 'refund'>;
  logger: Logger;
  /** How often to look for tasks. */
  everyMs?: number;
}

const LOOK_EVERY_MS = 500;
const MEASURE_EVERY_MS = 5_000;
const REAP_EVERY_MS = 10 * 60_000;
/** The most tasks at once. A quote, for which somebody waits, needs a place beside them. */
const MAX_IN_WORK = 8;
/** Longer than a call with all its tries. */
const LEASE_SECONDS = 30;
/** A statement for so many rows takes some milliseconds. The others go in the next round. */
const MAX_REAPED = 500;
/** The error of a task for which there was no answer. */
const AWAY = 'tax_unavailable';

const attempts = counter('tax_task_attempts_total', 'Attempts to tell the tax service, by what came of them', [
  'kind',
  'outcome',
]);
const parked = gauge('tax_tasks_parked', 'What the tax service could not be told, and an operator has to look at');
const oldest = gauge('tax_task_oldest_open_seconds', 'The time since the oldest open task was written');

export class TaxTaskWorker {
  private readonly jobs: Repeating[];
  private stopped = false;

  constructor(private readonly options: TaxTaskWorkerOptions) {
    const { database, logger, everyMs = LOOK_EVERY_MS } = options;
    const onFailure = (error: unknown) => logger.warn({ reason: (error as Error).message }, 'tax_task.look.failed');
    this.jobs = [
      new Repeating(() => this.tellAll(), { everyMs, onFailure }),
      new Repeating(() => this.measure(), { everyMs: MEASURE_EVERY_MS, onFailure }),
      new Repeating(() => removeDone(database, MAX_REAPED), { everyMs: REAP_EVERY_MS, onFailure }),
    ];
  }

  start(): void {
    for (const job of this.jobs) job.start();
  }

  async stop(): Promise<void> {
    this.stopped = true;
    await Promise.all(this.jobs.map((job) => job.stop()));
  }

  /** Until no task is due. */
  private async tellAll(): Promise<void> {
    for (let taken = MAX_IN_WORK; taken === MAX_IN_WORK && !this.stopped;) {
      const tasks = await takeOpenTasks(this.options.database, MAX_IN_WORK, LEASE_SECONDS);
      await Promise.all(tasks.map((task) => inTraceOf('tell tax', undefined, () => this.workOn(task))));
      taken = tasks.length;
    }
  }

  private async workOn(task: TakenTask): Promise<void> {
    const { database, logger } = this.options;
    const { status: wanted, error, reason } = await this.tell(task);
    const status = await finishTask(database, task, wanted, error);
    if (status === undefined) return;
    const { kind, number, invoice, attempts: attempt } = task;
    attempts.inc({ kind, outcome: status === 'open' ? 'failed' : status });
    const fields = { kind, number, invoice, attempt };
    if (status === 'parked') logger.error({ ...fields, reason: error }, 'tax_task.parked');
    else if (status === 'open') logger.debug({ ...fields, reason }, 'tax_task.put_off');
    else logger.info(fields, 'tax_task.done');
  }

  private async tell(task: TakenTask): Promise<{ status: TaxTaskStatus; error: string | null; reason?: string }> {
    const { tax } = this.options;
    const { tenant, kind, number, invoice, currency, rates } = task;
    const transaction = { tenant, number: invoice, currency, rates };
    try {
      await (kind === 'commit' ? tax.commit(transaction) : tax.refund({ ...transaction, reference: number }));
      return { status: 'done', error: null };
    } catch (error) {
      if (error instanceof TaxRefusedError) return { status: 'parked', error: error.code };
      return { status: 'open', error: AWAY, reason: (error as Error).message };
    }
  }

  private async measure(): Promise<void> {
    const counts = await countTasks(this.options.database);
    parked.set(counts.parked);
    oldest.set(counts.oldestOpenSeconds);
  }
}
