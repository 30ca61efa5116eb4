/** The table of held steps. Every statement on it is here. */
import { ERASED } from '@shop/messaging';
import type { Database, Statement, Tx } from '@shop/postgres';
import { isHeld } from './stored-hold';

export interface HeldStep {
  tenant: string;
  definition: string;
  step: string;
}

export interface StepHold extends HeldStep {
  by: string;
  reason: string;
  since: Date;
}

type Reader = Pick<Tx, 'query'>;

/** Everything that is held now, in all tenants. A tenant holds at most the steps of the definitions that there are. */
export const readHolds = (database: Database): Promise<StepHold[]> => database.query<StepHold>(selectHolds, []);

/** With the number of sagas that stand there. */
export const listHolds = (from: Reader, tenant: string): Promise<(StepHold & { sagas: number })[]> =>
  from.query(selectOfTenant, [tenant]);

/**
 * If the step is held already, who holds it and why is what it was, unless the reason is another one. `created` is false
 * then.
 */
export async function placeHold(
  tx: Tx,
  { tenant, definition, step }: HeldStep,
  { by, reason }: { by: string; reason: string },
): Promise<StepHold & { created: boolean }> {
  const [row] = await tx.query<StepHold & { created: boolean }>(insertHold, [tenant, definition, step, by, reason]);
  return row!;
}

/** Returns whether it was held. */
export async function endHold(tx: Tx, { tenant, definition, step }: HeldStep, by: string): Promise<boolean> {
  return (await tx.query(updateReleased, [tenant, definition, step, by])).length > 0;
}

/** Up to `limit` sagas of these definitions (`name v1`) that stand at a step which is held no longer. */
export async function findReleased(
  database: Database,
  definitions: readonly string[],
  limit: number,
): Promise<string[]> {
  const rows = await database.query<{ id: string }>(selectReleased, [definitions, limit]);
  return rows.map(({ id }) => id);
}

/**
 * Erases why steps of the tenant were held, and by whom; with a customer only the reasons that name the customer. What is
 * held stays held. Returns how many holds have changed.
 */
export async function eraseStepHolds(database: Database, tenant: string, customerId?: string): Promise<number> {
  const found =
    customerId === undefined
      ? database.query(eraseAll, [tenant, ERASED])
      : database.query(eraseNaming, [tenant, ERASED, customerId]);
  return (await found).length;
}

const columns = 'tenant, definition, step, held_by as by, reason, since';

const selectHolds: Statement = {
  name: 'saga-hold.select',
  text: `select ${columns} from saga_hold where released_at is null`,
};

const selectOfTenant: Statement = {
  name: 'saga-hold.select-of-tenant',
  text: `
    with standing as materialized (
      select definition, step, count(*)::int as sagas from saga
      where ${isHeld} and held ? 'step' and data ->> 'tenant' = $1 group by definition, step)
    select h.tenant, h.definition, h.step, h.held_by as by, h.reason, h.since, coalesce(s.sagas, 0) as sagas
    from saga_hold h left join standing s on s.definition = h.definition and s.step = h.step
    where h.tenant = $1 and h.released_at is null order by h.definition, h.step`,
};

/** `xmax` is 0 in a row that this statement has inserted. */
const insertHold: Statement = {
  name: 'saga-hold.place',
  text: `
    insert into saga_hold as h (tenant, definition, step, held_by, reason) values ($1, $2, $3, $4, $5)
    on conflict (tenant, definition, step) where released_at is null
    do update set held_by = case when h.reason = excluded.reason then h.held_by else excluded.held_by end,
                  reason = excluded.reason
    returning ${columns}, xmax = 0 as created`,
};

const updateReleased: Statement = {
  name: 'saga-hold.release',
  text: `
    update saga_hold set released_at = now(), released_by = $4
    where tenant = $1 and definition = $2 and step = $3 and released_at is null returning id`,
};

const selectReleased: Statement = {
  name: 'saga-hold.select-released',
  text: `
    select id from saga s
    where ${isHeld} and held ? 'step' and definition || ' v' || definition_version = any($1::text[])
      and not exists (select from saga_hold h
                      where h.tenant = s.data ->> 'tenant' and h.definition = s.definition and h.step = s.step
                        and h.released_at is null)
    order by id limit $2`,
};

const eraseAll: Statement = {
  name: 'saga-hold.erase-all',
  text: `
    update saga_hold
    set reason = $2, held_by = $2, released_by = case when released_by is not null then $2 end
    where tenant = $1 and (reason <> $2 or held_by <> $2)
    returning id`,
};

const eraseNaming: Statement = {
  name: 'saga-hold.erase-naming',
  text: `
    update saga_hold set reason = $2
    where tenant = $1 and reason <> $2 and position($3::text in reason) > 0
    returning id`,
};
