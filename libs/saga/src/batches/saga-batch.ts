/** An act of an operator on many parked sagas: what was asked for, and how far it is. */
import type { ActionName, OperatorAct } from '../saga-state';

export const batchActs = ['retry', 'skip', 'cancel'] as const satisfies readonly OperatorAct[];
export type BatchAct = (typeof batchActs)[number];

export const batchStatuses = ['running', 'stopped', 'done'] as const;
export type BatchStatus = (typeof batchStatuses)[number];

export const rowOutcomes = ['waiting', 'done', 'failed'] as const;
export type RowOutcome = (typeof rowOutcomes)[number];

/** Which parked sagas are meant: those with all of these. */
export interface BatchFilter {
  definition?: string;
  step?: string;
  action?: ActionName;
  reason?: string;
  olderThanSeconds?: number;
}

export interface NewBatch {
  id: string;
  tenant: string;
  act: BatchAct;
  /** Why; kept in the history of each saga. */
  reason?: string;
  filter: BatchFilter;
  madeBy: string;
  ratePerSecond: number;
}

export interface SagaBatch extends Omit<NewBatch, 'reason'> {
  reason: string | null;
  status: BatchStatus;
  /** How many sagas it has, and with how many of them the act was possible and not possible so far. */
  count: number;
  done: number;
  failed: number;
  createdAt: Date;
  endedAt: Date | null;
  stoppedBy: string | null;
}

export interface BatchRow {
  position: number;
  sagaId: string;
  outcome: RowOutcome;
  /** Why nothing was done: a stable code. */
  code: string | null;
  at: Date | null;
}

/** The most sagas of one batch. They are frozen in one transaction, which takes about a second for so many. */
export const MAX_BATCH_ROWS = 50_000;
