/** One act of an operator on many subjects: what is asked for, how far it is, and what became of each. */
export const bulkStatuses = ['running', 'stopped', 'done'] as const;
export type BulkStatus = (typeof bulkStatuses)[number];

export const rowOutcomes = ['waiting', 'done', 'failed'] as const;
export type RowOutcome = (typeof rowOutcomes)[number];

export interface NewBulkAct {
  id: string;
  tenant: string;
  act: string;
  /** Why; kept with each subject. */
  reason?: string;
  /** Which subjects are meant: those with all of its members. */
  filter: object;
  madeBy: string;
  ratePerSecond: number;
}

export interface BulkAct extends Omit<NewBulkAct, 'reason'> {
  reason: string | null;
  status: BulkStatus;
  /** How many subjects it has, and with how many of them the act was possible and not possible so far. */
  count: number;
  done: number;
  failed: number;
  createdAt: Date;
  endedAt: Date | null;
  stoppedBy: string | null;
}

export interface BulkRow {
  position: number;
  subjectId: string;
  outcome: RowOutcome;
  /** Why nothing was done: a stable code. */
  code: string | null;
  at: Date | null;
}

/** The most subjects of one act. They are frozen in one transaction, which takes about a second for so many. */
export const MAX_BULK_ROWS = 50_000;
