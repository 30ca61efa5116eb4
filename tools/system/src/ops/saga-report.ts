/** Sagas as text: a table of many, the story of one. Pure. */
import { type SagaStory, timelineOf } from '../timeline';
import { tableOf } from './table';

export interface SagaLine {
  id: string;
  definition: string;
  version: number;
  status: string;
  step: string;
  action: string;
  attempt: number;
  reason?: string;
  /** Why it is parked, which is not why it turned back. */
  parkedReason?: string;
  updatedAt: string;
  orderId?: string;
}

export interface SagaDetails extends SagaStory {
  id: string;
  version: number;
  step: string;
  action: string;
  attempt: number;
  reason?: string;
  deadlineAt: string | null;
}

const heads = ['SAGA', 'DEFINITION', 'STATUS', 'AWAITS', 'ATTEMPT', 'REASON', 'SINCE', 'ORDER'];

/** @param more whether there are others that are not shown */
export function listOf(sagas: readonly SagaLine[], more: boolean): string[] {
  if (sagas.length === 0) return ['No such sagas.'];
  const rows = sagas.map((saga) => [
    saga.id,
    `${saga.definition} v${saga.version}`,
    saga.status,
    `${saga.step}.${saga.action}`,
    String(saga.attempt),
    saga.parkedReason ?? saga.reason ?? '',
    saga.updatedAt,
    saga.orderId ?? '',
  ]);
  const lines = tableOf([heads, ...rows]);
  return more ? [...lines, `These are the newest ${sagas.length}; there are more.`] : lines;
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

const groupHeads = ['COUNT', 'DEFINITION', 'STANDS AT', 'REASON', 'FIRST', 'LAST'];

export function groupsOf(groups: readonly SagaGroup[]): string[] {
  if (groups.length === 0) return ['No saga is parked.'];
  const rows = groups.map(({ definition, step, action, reason, count, firstAt, lastAt }) => [
    String(count),
    definition,
    `${step}.${action}`,
    reason ?? '',
    firstAt,
    lastAt,
  ]);
  return tableOf([groupHeads, ...rows]);
}

/** Where it stands, then how it got there. */
export function storyOf(saga: SagaDetails): string[] {
  const { id, definition, version, status, step, action, attempt, reason, deadlineAt } = saga;
  const ended = status === 'completed' || status === 'compensated';
  const awaited = ended ? '' : `, awaiting ${step}.${action}, attempt ${attempt}`;
  const deadline = deadlineAt ? `, until ${deadlineAt}` : '';
  return [
    `${definition} v${version} ${id}`,
    `${status}${reason ? ` (${reason})` : ''}${awaited}${deadline}`,
    ...(saga.history[0] ? [`since ${saga.history[0].at}`] : []),
    ...timelineOf(saga),
  ];
}
