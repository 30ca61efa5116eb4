/** Says in the log that leased work has failed, and when a person should look. */
import type { Logger } from '@shop/observability';

/** An attempt that failed for a passing reason. The work is resumed later. */
export interface Failure {
  /** The id of the work, the same for all its attempts. */
  id: string;
  /** The name of its code. */
  work: string;
  attempt: number;
  /** The time between its claim and this attempt, by the clock of the store. */
  ageMs: number;
  error: unknown;
}

/**
 * The age of stuck work. The number of its attempts says nothing: each repeat of a client is one, and an impatient
 * client makes many in a minute of ordinary trouble.
 */
export const STUCK_AFTER_MS = 15 * 60_000;
/** Stuck work fails every few minutes. A person is called once, and again when this time has passed. */
export const SAY_AGAIN_MS = 60 * 60_000;
/** So many stuck works are remembered. With more of them, some are told more often, which is no harm. */
const MAX_REMEMBERED = 10_000;

export class Failures {
  /** When this process has called a person for which work; the oldest first. */
  private readonly told = new Map<string, number>();

  constructor(
    private readonly logger: Logger | undefined,
    private readonly nowMs: () => number = () => performance.now(),
  ) {}

  tell({ id, work, attempt, ageMs, error }: Failure): void {
    const line = { work, workId: id, attempt, ageMs, reason: (error as Error).message };
    if (ageMs >= STUCK_AFTER_MS && this.isNews(id)) this.logger?.error(line, 'idempotency.work.stuck');
    else this.logger?.warn(line, 'idempotency.work.put_off');
  }

  private isNews(id: string): boolean {
    const now = this.nowMs();
    const before = this.told.get(id);
    if (before !== undefined && now - before < SAY_AGAIN_MS) return false;
    this.told.delete(id);
    this.told.set(id, now);
    if (this.told.size > MAX_REMEMBERED) this.told.delete(this.told.keys().next().value!);
    return true;
  }
}
