/** The states of a saga, the events that can happen to it, and the result of a decision. */

export const sagaStatuses = ['running', 'compensating', 'completed', 'compensated', 'parked'] as const;
export type SagaStatus = (typeof sagaStatuses)[number];
export const actionNames = ['do', 'undo'] as const;
export type ActionName = (typeof actionNames)[number];

export interface SagaState {
  status: SagaStatus;
  /** The step whose reply is awaited. When the saga has ended, it is the last one. */
  step: string;
  action: ActionName;
  /**
   * How often the awaited command has been sent, from 1. When an operator retries a parked saga, the count starts
   * again.
   */
  attempt: number;
  /** The reason why the saga turned round, or why it has to be taken back after its end: a stable code. */
  reason?: string;
  /** True for a wish to cancel that came when the saga could no longer turn round. */
  cancelRequested: boolean;
}

export const operatorActs = ['retry', 'skip', 'cancel'] as const;
export type OperatorAct = (typeof operatorActs)[number];

/** The act of a person; `by` is who. To skip a step, the person has to give a reason. */
export type OperatorEvent = { type: 'operator'; by: string } & (
  { act: 'retry' | 'cancel'; reason?: string } | { act: 'skip'; reason: string }
);

export type SagaEvent =
  | {
      type: 'replied';
      /** The mailbox of the service that has replied. Absent when nobody but this process can have done it. */
      from?: string;
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

/** One line of the history: what happened, and the state that followed. */
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

/** The reason why an event moved nothing: a stable code. */
export type Ignored =
  | 'ended'
  | 'repeated-or-late'
  | 'foreign'
  | 'already-compensating'
  | 'already-requested'
  | 'not-parked'
  | 'never-turns-back';

export const isFinal = (status: SagaStatus): boolean => status === 'completed' || status === 'compensated';
