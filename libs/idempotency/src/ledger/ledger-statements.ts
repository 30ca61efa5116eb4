/** The statements of the ledger's table, each named after what it does. */
import type { Statement } from '@shop/postgres';

/** A set of keys, given as two arrays. */
const keys = 'unnest($1::text[], $2::text[]) as k (scope, key)';

export const findEntries: Statement = {
  name: 'ledger.find-entries',
  text: `
    select l.scope, l.key, l.fingerprint, l.status, l.answer_status, l.answer_headers, l.answer_body,
           coalesce(l.leased_until <= now(), false) as lease_expired
    from ${keys}
    join ledger l on l.scope = k.scope and l.key = k.key`,
};

export const describeKeys: Statement = {
  name: 'ledger.describe-keys',
  text: `
    select l.scope, l.key, l.status, l.answer_status, l.created_at, l.completed_at, l.expires_at
    from ${keys}
    join ledger l on l.scope = k.scope and l.key = k.key
    order by l.created_at`,
};

export const insertCompleted: Statement = {
  name: 'ledger.insert-completed',
  text: `
    insert into ledger (scope, key, fingerprint, status, answer_status, answer_headers, answer_body, completed_at, expires_at)
    select scope, key, fingerprint, 'completed', answer_status, answer_headers, answer_body, now(),
           now() + coalesce(retention_hours, $2) * interval '1 hour'
    from jsonb_to_recordset($1::jsonb) as e (
      scope text, key text, fingerprint bytea, answer_status int, answer_headers jsonb, answer_body text,
      retention_hours int)`,
};

export const insertPending: Statement = {
  name: 'ledger.insert-pending',
  text: `
    insert into ledger (scope, key, fingerprint, status, work, input, leased_by, lease_token, leased_until, created_at)
    select scope, key, fingerprint, 'pending', work, input, $2, token, now() + $3 * interval '1 millisecond', now()
    from jsonb_to_recordset($1::jsonb) as e (
      scope text, key text, fingerprint bytea, token uuid, work text, input jsonb)`,
};

// Only a pending row has a lease. A statement for given keys does not ask for the status too. If it did, the planner
// would walk the index of all pending rows and would not look up the keys.
export const markUndone: Statement = {
  name: 'ledger.mark-undone',
  text: `
    update ledger l set undone = true from ${keys}
    where l.scope = k.scope and l.key = k.key and l.lease_token is not null and l.undone is null`,
};

const taken = (owner: string, durationMs: string) => `
    set leased_by = ${owner}, lease_token = gen_random_uuid(), leased_until = now() + ${durationMs} * interval '1 millisecond',
        attempt = coalesce(l.attempt, 1) + 1`;
const unfinished = `l.scope, l.key, l.lease_token, l.work, l.input, l.recovery, l.attempt,
      coalesce(l.undone, false) as undone,
      (extract(epoch from now() - l.created_at) * 1000)::bigint as age_ms`;

// It does not ask for the status, for the same reason as above.
export const resumeOne: Statement = {
  name: 'ledger.resume-one',
  text: `
    update ledger l ${taken('$4', '$5')}
    where l.scope = $1 and l.key = $2 and l.lease_token is not null and l.leased_until <= now() and l.work = any($3::text[])
    returning ${unfinished}`,
};

/** The longest pause between two attempts at one work. */
const MAX_PAUSE_SECONDS = 300;

export const resumeOverdue: Statement = {
  name: 'ledger.resume-overdue',
  text: `
    with overdue as materialized (
      select scope, key from ledger
      where status = 'pending' and leased_until <= now() and work = any($1::text[])
        and leased_until <= now() - least(power(2, least(coalesce(attempt, 1), 30)), ${MAX_PAUSE_SECONDS}) * interval '1 second'
      order by leased_until limit $2 for update skip locked
    )
    update ledger l ${taken('$3', '$4')}
    from overdue
    where l.scope = overdue.scope and l.key = overdue.key
    returning ${unfinished}`,
};

export const savePoints: Statement = {
  name: 'ledger.save-points',
  text: `
    update ledger l set recovery = coalesce(l.recovery, '{}') || jsonb_build_object(e.point, e.result::jsonb)
    from jsonb_to_recordset($1::jsonb) as e (scope text, key text, token uuid, point text, result text)
    where l.scope = e.scope and l.key = e.key and l.lease_token = e.token
    returning l.scope, l.key, l.lease_token, l.undone`,
};

export const forgetLeased: Statement = {
  name: 'ledger.forget-leased',
  text: `delete from ledger l where l.scope = $1 and l.key = $2 and l.lease_token = $3 returning l.scope, l.key`,
};

export const completeLeased: Statement = {
  name: 'ledger.complete-leased',
  text: `
    update ledger l
    set status = 'completed', answer_status = e.answer_status, answer_headers = e.answer_headers,
        answer_body = e.answer_body, completed_at = now(),
        expires_at = now() + coalesce(e.retention_hours, $2) * interval '1 hour',
        input = null, recovery = null, leased_by = null, lease_token = null, leased_until = null
    from jsonb_to_recordset($1::jsonb) as e (
      scope text, key text, token uuid, answer_status int, answer_headers jsonb, answer_body text, retention_hours int)
    where l.scope = e.scope and l.key = e.key and l.lease_token = e.token
    returning l.scope, l.key`,
};

const held = 'unnest($1::text[], $2::text[], $3::uuid[]) as k (scope, key, token)';
const isHeld = 'l.scope = k.scope and l.key = k.key and l.lease_token = k.token';

export const extendLeases: Statement = {
  name: 'ledger.extend-leases',
  text: `
    update ledger l set leased_until = now() + $4 * interval '1 millisecond' from ${held} where ${isHeld}
    returning l.lease_token`,
};

// The whole ledger is walked page by page, as a vacuum does. Rows with different retentions are not in the order of
// their expiry. An index for the expiry would cost each request more than the walk.
const stretch = `ctid >= format('(%s,0)', $1::bigint)::tid and ctid < format('(%s,0)', $1::bigint + $2::bigint)::tid`;
const countedOver = (change: string) => `
    with changed as (${change} returning 1)
    select (select count(*) from changed)::int as changed,
           (pg_relation_size('ledger') / current_setting('block_size')::int)::int as pages`;

/** One lock per database is enough; the number only has to be the same in every replica. */
const REAP_LOCK = 7_201_959;

export const reapStretch: Statement = {
  name: 'ledger.reap-stretch',
  // One replica walks at a time. The statements of the other replicas meanwhile find nothing, and cost nothing.
  text: countedOver(`
    delete from ledger
    where (select pg_try_advisory_xact_lock(${REAP_LOCK})) and ${stretch} and expires_at <= now() and lease_token is null`),
};

export const eraseStretch: Statement = {
  name: 'ledger.erase-stretch',
  text: countedOver(`
    update ledger
    set status = 'erased', fingerprint = null, answer_status = null, answer_headers = null, answer_body = null
    where ${stretch} and starts_with(scope, $3) and status not in ('pending', 'erased')`),
};

export const removeStretch: Statement = {
  name: 'ledger.remove-stretch',
  text: countedOver(`
    delete from ledger
    where ${stretch} and starts_with(scope, $3) and lease_token is null
      and ($4::text is null or position($4::text in answer_body) > 0)`),
};

// The input of leased work stands within what is kept of it.
export const countPending: Statement = {
  name: 'ledger.count-pending',
  text: `
    select count(*)::int as count from ledger
    where status = 'pending' and (starts_with(scope, $1) or input #>> '{input,tenant}' = $2)`,
};
