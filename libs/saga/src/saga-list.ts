/** The open sagas of a tenant, newest first. An ended saga is found through the thing that it was begun for. */
import type { Database, Statement } from '@shop/postgres';
import type { ActionName, SagaStatus, Wait } from './saga-state';
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
  waiting?: Wait;
  deadlineAt: string | null;
  /** The time of its last move. */
  updatedAt: string;
  data: unknown;
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
  waiting: StoredWait | null;
  deadline_at: Date | null;
  updated_at: Date;
  data: unknown;
  /** Microseconds. A Date has not enough of them to sort as the database does. */
  begun: number;
}

/**
 * Up to `limit` sagas that were begun before the saga `before`, by the clock of the database. Ids do not tell the time. The data of a saga names its `tenant`. There is an index on it for
 * parked sagas. The other open sagas are filtered without an index: they are few at any time, and an index would cost
 * each of them.
 */
export async function listSagas(
  database: Database,
  page: { tenant: string; status?: OpenStatus; before?: string; limit: number },
): Promise<ListedSaga[]> {
  const { tenant, status, before = null, limit } = page;
  const [parked, moving] = await Promise.all([
    status === undefined || status === 'parked' ? database.query<Row>(selectParked, [tenant, before, limit]) : [],
    status !== 'parked' ? database.query<Row>(selectMoving, [tenant, before, limit, status ?? null]) : [],
  ]);
  const newestFirst = [...parked, ...moving].sort((a, b) => b.begun - a.begun || (a.id < b.id ? 1 : -1));
  return newestFirst.slice(0, limit).map((row) => ({
    id: row.id,
    definition: row.definition,
    version: row.definition_version,
    status: row.status,
    step: row.step,
    action: row.action,
    attempt: row.attempt,
    reason: row.reason ?? undefined,
    waiting: known(row).waiting,
    deadlineAt: row.deadline_at?.toISOString() ?? null,
    updatedAt: row.updated_at.toISOString(),
    data: row.data,
  }));
}

const columns =
  'id, definition, definition_version, status, step, action, attempt, reason, waiting, deadline_at, updated_at, data, begun';
const begun = '(extract(epoch from created_at) * 1000000)::bigint as begun';
/** Behind the saga `$2`, or everything if that is null. */
const isBehind = `(created_at, id) < (
      case when $2::uuid is null then 'infinity' else (select created_at from saga where id = $2::uuid) end,
      coalesce($2::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff'))`;

const selectParked: Statement = {
  name: 'saga.select-parked-page',
  text: `
    select ${columns} from (select *, ${begun} from saga) as s
    where status = 'parked' and data ->> 'tenant' = $1 and ${isBehind}
    order by created_at desc, id desc limit $3`,
};

/**
 * Selects the open sagas first, by their own index. Without `materialized`, a plan that is made while nearly all sagas
 * are open may walk the primary key. It would still do so when nearly all sagas have ended.
 */
const selectMoving: Statement = {
  name: 'saga.select-moving-page',
  text: `
    with moving as materialized (
      select *, ${begun} from saga where status in ('running', 'compensating'))
    select ${columns} from moving
    where data ->> 'tenant' = $1 and ${isBehind} and ($4::text is null or status = $4)
    order by created_at desc, id desc limit $3`,
};
