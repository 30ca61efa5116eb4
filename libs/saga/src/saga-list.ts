/** Sagas of a tenant, newest first, page by page. */
import type { Database, Statement } from '@shop/postgres';
import { type KeysPage, readSagaKeys } from './saga-keys';
import type { ActionName, SagaStatus, Wait } from './saga-state';
import { type HeldView, heldView, type StoredHold } from './stored-hold';
import { known, type StoredWait } from './stored-wait';

export const openStatuses = ['running', 'compensating', 'parked'] as const;
export type OpenStatus = (typeof openStatuses)[number];

export interface ListedSaga {
  id: string;
  definition: string;
  version: number;
  status: SagaStatus;
  step: string;
  action: ActionName;
  attempt: number;
  reason?: string;
  /** Why it is parked. */
  parkedReason?: string;
  waiting?: Wait;
  held: HeldView | null;
  deadlineAt: string | null;
  createdAt: string;
  /** The time of its last move. */
  updatedAt: string;
  data: unknown;
}

export interface SagasPage {
  items: ListedSaga[];
  /**
   * The saga behind which the next page begins. It may be there though this page has room: then the sagas that were
   * looked at so far did not fit the filter.
   */
  next: string | null;
}

interface Row {
  id: string;
  definition: string;
  definition_version: number;
  status: SagaStatus;
  step: string;
  action: ActionName;
  attempt: number;
  reason: string | null;
  parked_reason: string | null;
  waiting: StoredWait | null;
  held: StoredHold | null;
  version: number;
  deadline_at: Date | null;
  created_at: Date;
  updated_at: Date;
  data: unknown;
}

export async function listSagas(database: Database, { limit, ...page }: KeysPage): Promise<SagasPage> {
  const { keys, lookedUntil } = await readSagaKeys(database, { ...page, limit: limit + 1 });
  const ids = keys.slice(0, limit).map(({ id }) => id);
  const next = keys.length > limit ? ids.at(-1)! : (lookedUntil?.id ?? null);
  const rows = ids.length === 0 ? [] : await database.query<Row>(selectByIds, [ids]);
  return { items: rows.map(listed), next };
}

const listed = (row: Row): ListedSaga => ({
  id: row.id,
  definition: row.definition,
  version: row.definition_version,
  status: row.status,
  step: row.step,
  action: row.action,
  attempt: row.attempt,
  reason: row.reason ?? undefined,
  // A release that does not know the column leaves it behind when it moves the saga.
  parkedReason: (row.status === 'parked' && row.parked_reason) || undefined,
  waiting: known(row).waiting,
  held: heldView(row),
  // It stands still while the saga is held.
  deadlineAt: (heldView(row) ? null : row.deadline_at?.toISOString()) ?? null,
  createdAt: row.created_at.toISOString(),
  updatedAt: row.updated_at.toISOString(),
  data: row.data,
});

/** In the order of the ids: a saga may have moved on since its key was read, and is shown as it is now. */
const selectByIds: Statement = {
  name: 'saga.select-by-ids',
  text: `
    select s.id, definition, definition_version, status, step, action, attempt, reason, parked_reason, waiting,
           held, version, deadline_at, created_at, updated_at, data
    from unnest($1::uuid[]) with ordinality as k (id, place) join saga s on s.id = k.id order by place`,
};
