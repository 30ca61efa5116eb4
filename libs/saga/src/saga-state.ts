/** The states of a saga, the events that can happen to it, and the result of a decision. */

export const sagaStatuses = ['running', 'compensating', 'completed', 'compensated', 'parked'] as const;
export type SagaStatus = (typeof sagaStatuses)[number];
export const actionNames = ['do', 'undo'] as const;
export type ActionName = (typeof actionNames)[number];

/** What a saga keeps of a reply that says waiting. Never the link in it: whoever has that acts as the customer. */
export interface Wait {
  /** By then the participant has decided: a UTC time that the database can read. The deadline of the saga follows it. */
  until: string;
  for: 'customer' | 'provider';
}

/** A saga that is held sends nothing, and its deadline stands still. What it is told meanwhile still counts. */
export interface Hold {
  /** Who holds it, and why. */
  by: string;
  reason: string;
  /** By the clock of the database, which fills it in. */
  since?: string;
  /** Its step is held, and not this saga alone: it is let go with the step, or when it leaves the step. */
  step?: true;
  /** The awaited command is sent when the hold ends. Absent while its reply is on its way. */
  owes?: true;
  /** With `owes`: the awaited command was never sent, so there is nothing of it to undo. */
  unsent?: true;
}

/** An operator has changed the body of the awaited command. The command has another id then. */
export interface Correction {
  /** From 2. The command as the definition makes it is number 1. */
  revision: number;
  body: object;
}

export interface SagaState {
  status: SagaStatus;
  /** The step whose reply is awaited. When the saga has ended, it is the last one. */
  step: string;
  action: ActionName;
  /**
   * How often the awaited command has been sent, from 1. When an operator retries a parked saga, the count starts
   * again. 0 while the saga waits: the command has its answer, and will be sent as if for the first time.
   */
  attempt: number;
  /** Only with attempt 0, in a saga that is moving: somebody else has to act before the command can be carried out. */
  waiting?: Wait;
  /** There was news of the awaited command before its reply: a reply that says waiting may be older than the news. */
  hinted?: true;
  /** Absent for almost every saga. */
  held?: Hold;
  /** Only in a parked saga: its participant has refused the awaited command, and has surely done nothing. */
  refused?: true;
  /** Of the awaited command. */
  correction?: Correction;
  /** The reason why the saga turned round, or why it has to be taken back after its end: a stable code. */
  reason?: string;
  /** True for a wish to cancel that came when the saga could no longer turn round. */
  cancelRequested: boolean;
}

/** What the customer has to do. */
export interface NextAction {
  type: 'redirect';
  url: string;
  expiresAt: string;
}

export const operatorActs = ['retry', 'skip', 'cancel', 'hold', 'resume'] as const;
export type OperatorAct = (typeof operatorActs)[number];

/**
 * The act of a person; `by` is who. To skip a step, to hold a saga and to correct a body, the person has to give a
 * reason. `corrected` has the whole body that replaces that of the awaited command, and what is new in it.
 */
export type OperatorEvent = { type: 'operator'; by: string } & (
  | { act: 'retry'; reason?: string; corrected?: { body: object; changed: Record<string, unknown> } }
  | { act: 'cancel' | 'resume'; reason?: string }
  | { act: 'skip' | 'hold'; reason: string }
);

export type SagaEvent =
  | {
      type: 'replied';
      /** The mailbox of the service that has replied. Absent when nobody but this process can have done it. */
      from?: string;
      step: string;
      action: ActionName;
      /** Which correction of the command it answers; 1, the command as it was first sent, when absent. */
      revision?: number;
      outcome: 'succeeded' | 'refused';
      reason?: string;
      /** Refused without knowing what an earlier delivery of the command did. */
      inDoubt?: boolean;
      result?: Record<string, unknown>;
    }
  | {
      type: 'replied';
      from?: string;
      step: string;
      action: ActionName;
      revision?: number;
      outcome: 'waiting';
      /** The link is for those who are told of the change, not for the saga. */
      waiting: Wait & { nextAction?: NextAction };
    }
  /** The participant has news of the command of this step. Only a hint: the reply to the command is the truth. */
  | { type: 'hinted'; step: string; tenant: string }
  | { type: 'deadline-passed'; step: string; action: ActionName; attempt: number }
  | { type: 'cancel-requested'; reason: string }
  /** Its step may be held no longer. */
  | { type: 'released' }
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
  | 'never-turns-back'
  | 'held'
  | 'already-held'
  | 'not-held'
  | 'outcome-unknown';

/** It has a command on its way, or waits for somebody to act. */
export const isUnderWay = ({ status }: Pick<SagaState, 'status'>): boolean =>
  status === 'running' || status === 'compensating';

export const isFinal = (status: SagaStatus): boolean => status === 'completed' || status === 'compensated';
