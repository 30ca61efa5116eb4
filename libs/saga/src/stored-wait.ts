/** How a saga's row keeps that it waits, and what is still true of it when it is read. Pure. */
import { isUnderWay, type SagaState, type Wait } from './saga-state';

/** It names its step: a release that does not know the column leaves it behind when it moves the saga. */
export type StoredWait = { step: string } & (Wait | { hinted: true });

export function storedWait({ step, waiting, hinted }: SagaState): StoredWait | undefined {
  if (waiting) return { step, ...waiting };
  return hinted ? { step, hinted } : undefined;
}

interface Row {
  status: SagaState['status'];
  step: string;
  attempt: number;
  waiting: StoredWait | null;
}

export function known({ waiting: stored, ...row }: Row): Pick<SagaState, 'waiting' | 'hinted'> {
  if (!stored || stored.step !== row.step || !isUnderWay(row)) return {};
  if ('hinted' in stored) return row.attempt > 0 ? { hinted: true } : {};
  return row.attempt === 0 ? { waiting: { until: stored.until, for: stored.for } } : {};
}
