/** Erases profiles: nothing of them stays. */
import type { Database, Statement } from '@shop/postgres';
import { eraseFound, type ErasedRows } from '@shop/service';
import type { Subject } from './subject';

const PROFILES_PER_STEP = 1_000;

export async function eraseProfiles(
  database: Database,
  { tenant, customerId, placedBy }: Subject,
): Promise<ErasedRows[]> {
  const values = [tenant, customerId ?? null, placedBy ?? null, PROFILES_PER_STEP];
  const rows = await eraseFound(database, PROFILES_PER_STEP, deleteProfiles, values);
  return [{ table: 'profile', what: 'profiles', rows }];
}

// In key order, so that two erasures at once do not wait for each other in a circle.
const deleteProfiles: Statement = {
  name: 'profile.erase',
  text: `
    with meant as materialized (
      select tenant, id from profile
      where tenant = $1 and ($2::text is null or id = $2::text) and ($3::text is null or placed_by = $3::text)
      order by id limit $4 for update
    )
    delete from profile p
    using meant
    where p.tenant = meant.tenant and p.id = meant.id
    returning 1`,
};
