/** What the services answer, as far as the console shows it. What an earlier version does not tell is optional. */
export interface Held {
  by: string;
  reason: string;
  since: string;
}

export type SagaStatus = 'running' | 'compensating' | 'parked' | 'completed' | 'compensated';
export const openStatuses: readonly string[] = ['running', 'compensating', 'parked'];

export interface ListedSaga {
  id: string;
  definition: string;
  version: number;
  status: SagaStatus;
  step: string;
  action: 'do' | 'undo';
  attempt: number;
  reason?: string;
  /** Only of a parked saga, and only in lists. */
  parkedReason?: string;
  waiting?: { until: string; for: string };
  deadlineAt: string | null;
  updatedAt: string;
  createdAt?: string;
  orderId?: string;
  customerId?: string | null;
  held?: Held | null;
}

export interface Transition {
  seq: number;
  at: string;
  event: string;
  step: string;
  from: string;
  to: string;
  attempt: number;
  detail?: unknown;
}

export interface Saga extends Omit<ListedSaga, 'updatedAt'> {
  history: Transition[];
  traceId?: string;
  traceparent?: string;
}

export interface Page<T> {
  items: T[];
  next: string | null;
  /** Services that could not be asked. */
  degraded?: string[];
}

export interface SagaGroup {
  definition: string;
  step: string;
  action: string;
  reason: string | null;
  count: number;
  firstAt: string;
  lastAt: string;
}

export interface CensusGroup {
  definition: string;
  step: string;
  action: string;
  status: string;
  count: number;
  oldestAt: string;
  lastMovedAt: string;
}

export interface Definition {
  name: string;
  version: number;
  steps: { name: string; isPivot: boolean; hasUndo: boolean }[];
}

export interface Move {
  sagaId: string;
  orderId: string;
  definition: string;
  seq: number;
  step: string;
  event: string;
  from: string;
  to: string;
  status: SagaStatus;
  at: string;
}

export type Act = 'retry' | 'skip' | 'cancel' | 'hold' | 'resume';

export interface Outlook {
  todo: string[];
  undo: string[];
  acts: {
    act: Act;
    possible: boolean;
    why?: string | null;
    becomes?: { status: string; step: string; action: string; sends?: boolean; held?: boolean } | null;
  }[];
  /** Whether the awaited command can be sent with another body, and the members that may be changed. */
  correction?: { possible: boolean; why?: string; body?: Record<string, unknown> };
}

export interface Batch {
  id: string;
  act: string;
  status: string;
  reason?: string | null;
  filter?: Record<string, string | number | null>;
  ratePerSecond?: number;
  count: number;
  done: number;
  failed: number;
  madeBy?: string;
  createdAt?: string;
  endedAt?: string | null;
  stoppedBy?: string | null;
}

export interface BatchRow {
  position: number;
  /** What it is about: one of these. */
  sagaId?: string;
  deadLetterId?: string;
  outcome: string;
  /** Why the act was not possible. */
  code: string | null;
  at: string | null;
}

export interface StepHold extends Held {
  definition: string;
  step: string;
  /** How many stand there. */
  sagas?: number;
}

export interface DeadLetter {
  id: string;
  mailbox: string;
  messageId: string;
  type: string | null;
  saga: string | null;
  tenant: string | null;
  readable: boolean;
  deliveries: number;
  killed: boolean;
  lastError: string;
  state: 'open' | 'replayed' | 'discarded';
  size: number;
  cut: boolean;
  acts: { act: string; by: string; reason: string; at: string }[];
  firstSeenAt: string;
  lastSeenAt: string;
  content?: string;
}

export interface LetterGroup {
  mailbox: string;
  /** Null for messages that could not be read. */
  type: string | null;
  error: string;
  count: number;
  firstAt: string;
  lastAt: string;
}

export const services = ['order', 'inventory', 'payment', 'fulfilment'] as const;
export type Service = (typeof services)[number];
