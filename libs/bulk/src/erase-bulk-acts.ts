/** Erases from bulk acts what people have written, and who they were. */
import type { Database, Statement, Tx } from '@shop/postgres';

/** Why operators acted on sets that have one of these subjects in them. */
export function eraseReasonsOf(tx: Tx, kind: string, subjectIds: readonly string[], instead: string): void {
  tx.send(eraseReasons, [kind, subjectIds, instead]);
}

/** Reasons, and errors in filters, that name the customer. Returns how many acts were changed. */
export async function eraseMentions(
  database: Database,
  { tenant, customerId }: { tenant: string; customerId: string },
  instead: string,
): Promise<number> {
  return (await database.query(replaceMentions, [tenant, customerId, instead])).length;
}

/** What operators of the tenant have asked for in bulk, with who they were. It ends acts that run. */
export async function eraseBulkActs(database: Database, tenant: string): Promise<number> {
  return (await database.query(deleteAll, [tenant])).length;
}

const eraseReasons: Statement = {
  name: 'bulk-act.erase-reasons',
  text: `
    update bulk_act set reason = $3
    where kind = $1 and reason <> $3
      and id in (select act_id from bulk_act_row where subject_id = any($2::uuid[]))`,
};

const replaceMentions: Statement = {
  name: 'bulk-act.replace-mentions',
  text: `
    update bulk_act
    set reason = case when position($2 in reason) > 0 then $3 else reason end,
        filter = case when position($2 in filter ->> 'error') > 0 then filter || jsonb_build_object('error', $3::text)
                      else filter end
    where tenant = $1 and (position($2 in reason) > 0 or position($2 in filter ->> 'error') > 0)
    returning id`,
};

const deleteAll: Statement = {
  name: 'bulk-act.delete-all',
  text: 'delete from bulk_act where tenant = $1 returning id',
};
