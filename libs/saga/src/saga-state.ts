/** Where a saga can stand, what can happen to it, and what a decision about it says. */

export const sagaStatuses = ['running', 'compensating', 'completed', 'compensated', 'parked'] as const;
export type SagaStatus = (typeof sagaStatuses)[number];
export const actionNames = ['do', 'undo'] as const;
export type ActionName = (typeof actionNames)[number];

export interface SagaState {
  status: SagaStatus;
  /** The step whose reply is awaited; the last one when the saga has ended. */
  step: string;
  action: ActionName;
  /** How often the awaited command has been sent, from 1; an operator's retry of a parked saga counts anew. */
  attempt: number;
  /** Why the saga turned round, or is to be taken back when it has ended: a stable code. */
  reason?: string;
  /** A wish to cancel that came when the saga could no longer turn round. */
  cancelRequested: boolean;
}

export const operatorActs = ['retry', 'skip', 'cancel'] as const;
export type OperatorAct = (typeof operatorActs)[number];

/** What a person did by hand; `by` is who, and who skips a step says why. */
export type OperatorEvent = { type: 'operator'; by: string } & (
  { act: 'retry' | 'cancel'; reason?: string } | { act: 'skip'; reason: string }
);

export type SagaEvent =
  | {
      type: 'replied';
      step: string;
      action: ActionName;
      outcome: 'succeeded' | 'refused';
      reason?: string;
      /** Refused without knowing what an earlier delivery of the command did. */
      inDoubt?: boolean;
      result?: Record<string, unknown>;
    }
  | { type: 'deadline-passed'; step: string; action: ActionName; attempt: number }
  | { type: 'cancel-requested'; reason: string }
  | OperatorEvent;

/** One line of the history: what happened and where it led. */
export interface Transition {
  event: string;
  step: string;
  from: string;
  to: string;
  attempt: number;
  detail?: Record<string, unknown>;
}

export type Decision =
  | {
      state: SagaState;
      transition: Transition;
      /** The command to send, and how long to wait for its reply. */
      send?: { step: string; action: ActionName; attempt: number; deadlineMs: number };
    }
  | { ignored: Ignored };

export type Decided = Extract<Decision, { state: SagaState }>;

/** Why an event moved nothing: a stable code. */
export type Ignored =
  | 'ended'
  | 'repeated-or-late'
  | 'foreign'
  | 'already-compensating'
  | 'already-requested'
  | 'not-parked'
  | 'never-turns-back';

export const isFinal = (status: SagaStatus): boolean => status === 'completed' || status === 'compensated';
