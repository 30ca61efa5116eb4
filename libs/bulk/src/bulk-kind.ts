/** What a kind of subjects adds to the mechanism: how a few of them are acted on. */
import type { Tx } from '@shop/postgres';
import type { BulkStatus } from './bulk-act';

/** An act as its worker holds it. */
export interface HeldAct {
  id: string;
  tenant: string;
  act: string;
  reason: string | null;
  madeBy: string;
  ratePerSecond: number;
  status: BulkStatus;
}

/** One of the frozen set, at the version at which the operator saw it. */
export interface Subject {
  subjectId: string;
  version: number;
}

export interface BulkKind {
  /** As the tables, the metrics and the log call it. */
  name: string;
  /** Where the log has the id of a subject. */
  idField: string;
  /**
   * Acts on these, in the transaction that also writes their results. One that is not at its version any more is left alone.
   * Returns for each why nothing was done, as a stable code.
   */
  act(tx: Tx, act: HeldAct, subjects: readonly Subject[]): Promise<(string | undefined)[]>;
  /**
   * By the act: what is left to do outside when the act on a subject is committed. Until this has resolved, the row waits.
   * After a crash it is called again, so it has to bear that. A RetryableError means that the other side is away.
   */
  handOver?: Readonly<Record<string, (subjectId: string) => Promise<void>>>;
  /** Whether the transaction of a step may run again after this error. */
  mayRunAgain?: (error: unknown) => boolean;
}
