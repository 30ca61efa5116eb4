/** Which sagas are open: those whose deadline has passed, and how many there are where. It locks and writes nothing. */
import type { Database, Statement } from '@shop/postgres';
import type { ActionName, SagaStatus } from './saga-state';
import { isHeld } from './stored-hold';

/** Each step of each version is one or two. */
const MAX_GROUPS = 1_000;

export interface DueSaga {
  id: string;
  step: string;
  action: ActionName;
  attempt: number;
}

/**
 * The sagas of these definitions (`name v1`) whose deadline has passed, the most overdue first. It locks nothing:
 * `decide` knows a deadline that is over. The deadline of a held saga stands still.
 */
export async function findDue(database: Database, definitions: readonly string[], limit: number): Promise<DueSaga[]> {
  return database.query<DueSaga>(selectDue, [definitions, limit]);
}

/** The open sagas of one definition that are at the same place. */
export interface SagaGroup {
  definition: string;
  version: number;
  step: string;
  action: ActionName;
  /** `waiting`: it waits for a customer or a provider. `held`: an operator has stopped it, or its step. */
  status: SagaStatus | 'waiting' | 'held';
  sagas: number;
  /** The time since the oldest of them began. */
  oldestSeconds: number;
  /** The time since any of them moved. */
  stillSeconds: number;
}

/** The open sagas of all tenants by where they are. The largest groups, if there are very many. */
export function countSagas(database: Database): Promise<SagaGroup[]> {
  return database.query<SagaGroup>(selectGroups, [MAX_GROUPS]);
}

/** The open sagas by tenant, without those that wait. */
export function countOpen(database: Database): Promise<{ tenant: string; sagas: number }[]> {
  return database.query<{ tenant: string; sagas: number }>(selectOpen, []);
}

const selectDue: Statement = {
  name: 'saga.select-due',
  text: `
    select id, step, action, attempt from saga
    where status in ('running', 'compensating') and deadline_at <= now() and not ${isHeld}
      and definition || ' v' || definition_version = any($1::text[])
    order by deadline_at limit $2`,
};

const selectOpen: Statement = {
  name: 'saga.select-open',
  text: `
    select coalesce(data ->> 'tenant', '') as tenant, count(*)::int as sagas from saga
    where status in ('running', 'compensating') and attempt > 0 and not ${isHeld} group by 1`,
};

const placed = `definition, definition_version, step, action, status, attempt, held, version, created_at, updated_at`;

/** The statement has two halves, because each status has its own partial index. */
const selectGroups: Statement = {
  name: 'saga.select-groups',
  text: `
    select definition, definition_version as version, step, action,
           case when status = 'parked' then status when ${isHeld} then 'held'
                when attempt = 0 then 'waiting' else status end as status,
           count(*)::int as sagas,
           extract(epoch from now() - min(created_at))::float8 as "oldestSeconds",
           extract(epoch from now() - max(updated_at))::float8 as "stillSeconds"
    from (select ${placed} from saga where status = 'parked'
          union all
          select ${placed} from saga where status in ('running', 'compensating')) as open
    group by 1, 2, 3, 4, 5 order by 6 desc limit $1`,
};
