/** The table of API keys. Every statement that writes it, or reads all of it, is here. */
import type { Role } from '@shop/http';
import type { Database, Statement, Tx } from '@shop/postgres';
import type { KeyName, StoredKey, WantedKey } from './api-key';

const columns = `
  tenant, id, sha256, principal, roles, expires_at as "expiresAt", created_at as "createdAt",
  created_by as "createdBy", revoked_at as "revokedAt", revoked_by as "revokedBy", last_used_at as "lastUsedAt"`;
const isLive = 'revoked_at is null and (expires_at is null or expires_at > now())';

const lockChanges: Statement = {
  name: 'api-key.lock-changes',
  text: 'select count from api_key_change for update',
};

/** Whoever adds or revokes a key holds this lock, so that what they have read stays true. */
export async function lockKeys(tx: Tx): Promise<void> {
  await tx.query(lockChanges);
}

const countChange: Statement = {
  name: 'api-key.count-change',
  text: 'update api_key_change set count = count + 1',
};

const selectAlike: Statement = {
  name: 'api-key.select-alike',
  text: `select ${columns} from api_key where (tenant = $1 and id = $2) or sha256 = $3`,
};

/** Those with this name or this hash. */
export function findAlike(tx: Tx, { tenant, id }: KeyName, sha256: string): Promise<StoredKey[]> {
  return tx.query(selectAlike, [tenant, id, sha256]);
}

const countLive: Statement = {
  name: 'api-key.count-live',
  text: `
    select count(*) filter (where tenant = $1)::int as "ofTenant", count(*)::int as "all" from api_key where ${isLive}`,
};

export async function countLiveKeys(tx: Tx, tenant: string): Promise<{ ofTenant: number; all: number }> {
  return (await tx.query<{ ofTenant: number; all: number }>(countLive, [tenant]))[0]!;
}

const insert: Statement = {
  name: 'api-key.insert',
  text: `
    insert into api_key (tenant, id, sha256, principal, roles, expires_at, created_by)
    values ($1, $2, $3, $4, $5, $6, $7) returning ${columns}`,
};

export async function insertKey(tx: Tx, { tenant, id }: KeyName, wanted: WantedKey, by: string): Promise<StoredKey> {
  const { sha256, principal, roles, expiresAt } = wanted;
  tx.send(countChange);
  return (await tx.query<StoredKey>(insert, [tenant, id, sha256, principal, roles, expiresAt, by]))[0]!;
}

const revoke: Statement = {
  name: 'api-key.revoke',
  text: `
    update api_key set revoked_at = now(), revoked_by = $3
    where tenant = $1 and id = $2 and revoked_at is null returning id`,
};
const exists: Statement = {
  name: 'api-key.exists',
  text: 'select 1 from api_key where tenant = $1 and id = $2',
};

/** Whether it is revoked now, was before, or was never there. */
export async function revokeKey(tx: Tx, { tenant, id }: KeyName, by: string): Promise<'now' | 'before' | 'never'> {
  if ((await tx.query(revoke, [tenant, id, by])).length > 0) {
    tx.send(countChange);
    return 'now';
  }
  return (await tx.query(exists, [tenant, id])).length > 0 ? 'before' : 'never';
}

const removeAll: Statement = {
  name: 'api-key.remove-all',
  text: 'delete from api_key where tenant = $1 returning id',
};

/** Nobody calls for this tenant any more, but those whose keys are in the environment. Returns how many there were. */
export async function removeKeysOf(tx: Tx, tenant: string): Promise<number> {
  await lockKeys(tx);
  const { length } = await tx.query(removeAll, [tenant]);
  if (length > 0) tx.send(countChange);
  return length;
}

/** A live key, as replicas keep it in memory. */
export interface LiveKey extends KeyName {
  sha256: string;
  principal: string;
  roles: Role[];
  /** By the clock of the database, as `nowMs`. */
  expiresAtMs: number | null;
}

export interface LiveKeys {
  changes: number;
  nowMs: number;
  /** Null when nothing has changed. */
  keys: LiveKey[] | null;
}

const inMs = (instant: string) => `(extract(epoch from ${instant}) * 1000)::float8`;
const selectLive: Statement = {
  name: 'api-key.select-live',
  text: `
    select c.count as changes, ${inMs('clock_timestamp()')} as "nowMs",
      case when c.count <> $1 then (
        select coalesce(json_agg(json_build_object(
          'tenant', tenant, 'id', id, 'sha256', sha256, 'principal', principal, 'roles', roles,
          'expiresAtMs', ${inMs('expires_at')})), '[]')
        from api_key where ${isLive}
      ) end as keys
    from api_key_change c`,
};

/** All live keys, when there was a change since `changes`. It is one statement, so the two belong together. */
export async function readLiveKeys(database: Database, changes: number): Promise<LiveKeys> {
  return (await database.query<LiveKeys>(selectLive, [changes]))[0]!;
}

const noteUse: Statement = {
  name: 'api-key.note-use',
  text: `
    with used as (
      select k.tenant, k.id from api_key k
      join unnest($1::text[], $2::text[]) as u (tenant, id) on k.tenant = u.tenant and k.id = u.id
      where k.last_used_at is null or k.last_used_at < now() - interval '20 seconds'
      for update of k skip locked
    )
    update api_key k set last_used_at = now() from used u where k.tenant = u.tenant and k.id = u.id`,
};

/** A key that another replica has just noted, or is noting, is left alone. */
export async function noteUseOfKeys(database: Database, names: readonly KeyName[]): Promise<void> {
  await database.query(noteUse, [names.map(({ tenant }) => tenant), names.map(({ id }) => id)]);
}
