/** The open sagas of a tenant in groups: by where they stand, or by why they stand there. */
import type { Database, Statement } from '@shop/postgres';
import { REASON } from './saga-keys';
import type { ActionName, SagaStatus } from './saga-state';
import type { OpenStatus } from './saga-list';

/** More than operators read. The largest groups come first. */
const MAX_GROUPS = 500;

export interface SagaGroup {
  definition: string;
  step: string;
  action: ActionName;
  /** Why it is parked; if it is not, why it turned back. Null when it has not. */
  reason: string | null;
  count: number;
  /** The first and the last move of a saga to where it stands now. */
  firstAt: Date;
  lastAt: Date;
}

export interface CensusGroup {
  definition: string;
  step: string;
  action: ActionName;
  status: SagaStatus;
  count: number;
  /** When the oldest of them was begun. */
  oldestAt: Date;
  /** When one of them moved last. */
  lastMovedAt: Date;
}

export function groupSagas(database: Database, tenant: string, status: OpenStatus): Promise<SagaGroup[]> {
  return database.query<SagaGroup>(status === 'parked' ? selectParkedGroups : selectGroups, [
    tenant,
    status,
    MAX_GROUPS,
  ]);
}

/** `at` is the time of the database. */
export async function censusOf(database: Database, tenant: string): Promise<{ at: Date; groups: CensusGroup[] }> {
  const rows = await database.query<CensusGroup & { at: Date }>(selectCensus, [tenant, MAX_GROUPS]);
  if (rows.length > 0) return { at: rows[0]!.at, groups: rows.map(({ at: _, ...group }) => group) };
  const [now] = await database.query<{ at: Date }>(selectNow);
  return { at: now!.at, groups: [] };
}

const groups = `
      select definition, step, action, ${REASON} as reason, count(*)::int as count,
             min(updated_at) as "firstAt", max(updated_at) as "lastAt"`;

/** The status is written out, because the index is one of parked sagas. */
const selectParkedGroups: Statement = {
  name: 'saga.group-parked',
  text: `
    ${groups} from saga where status = 'parked' and $2::text = 'parked' and data ->> 'tenant' = $1
    group by 1, 2, 3, 4 order by count desc, 1, 2, 3, 4 limit $3`,
};

const selectGroups: Statement = {
  name: 'saga.group-moving',
  text: `
    with moving as materialized (select * from saga where status in ('running', 'compensating'))
    ${groups} from moving where status = $2 and data ->> 'tenant' = $1
    group by 1, 2, 3, 4 order by count desc, 1, 2, 3, 4 limit $3`,
};

const census = `
      select definition, step, action, status, count(*)::int as count,
             min(created_at) as "oldestAt", max(updated_at) as "lastMovedAt"`;

const selectCensus: Statement = {
  name: 'saga.census',
  text: `
    with moving as materialized (select * from saga where status in ('running', 'compensating'))
    select now() as at, g.* from (
      ${census} from moving where data ->> 'tenant' = $1 group by 1, 2, 3, 4
      union all
      ${census} from saga where status = 'parked' and data ->> 'tenant' = $1 group by 1, 2, 3, 4) as g
    order by count desc, definition, step, action, status limit $2`,
};

const selectNow: Statement = { name: 'saga.census-time', text: 'select now() as at' };
