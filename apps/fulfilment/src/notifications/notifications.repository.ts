/** The statements of whoever sends notifications. */
import type { Database, Statement, Tx } from '@shop/postgres';
import type { DueNotification, NotificationData, NotificationStatus, Template } from './notification';
import type { NotificationEntity } from './notification.entity';
import type { DeliveryMode, Verdict } from './verdict';

interface DueRow {
  tenant: string;
  id: string;
  customer_id: string;
  template: Template;
  cause: string;
  order_id: string;
  data: NotificationData;
  attempts: number;
  lease_token: string;
  traceparent: string | null;
}

type Key = Pick<DueNotification, 'tenant' | 'id' | 'leaseToken'>;

/** Takes up to `limit` whose time has come. Nobody else gets them within the lease. */
export async function takeDue(
  database: Database,
  { limit, leaseSeconds, mode }: { limit: number; leaseSeconds: number; mode: DeliveryMode },
): Promise<DueNotification[]> {
  const rows = await database.query<DueRow>(claimDue, [limit, leaseSeconds, mode === 'at-least-once']);
  return rows.map(({ customer_id: customerId, order_id: orderId, lease_token: leaseToken, traceparent, ...row }) => ({
    ...row,
    trace: traceparent ?? undefined,
    customerId,
    orderId,
    leaseToken,
  }));
}

/** Says before a mail goes out that it may have gone out. False when the lease is lost: then it must not. */
export async function beginSending(database: Database, key: Key, leaseSeconds: number): Promise<boolean> {
  return (await database.query(begin, [key.tenant, key.id, key.leaseToken, leaseSeconds])).length === 1;
}

/** Writes what came of it. False, and nothing is written, when the lease is lost. */
export async function finishSending(database: Database, key: Key, verdict: Verdict): Promise<boolean> {
  const { status, reason, counts, delayMs } = verdict;
  const values = [key.tenant, key.id, key.leaseToken, status, reason, counts ? 1 : 0, delayMs];
  return (await database.query(finish, values)).length === 1;
}

/** Parks what somebody was sending when he ended. Returns how many. */
export async function parkAbandoned(database: Database): Promise<number> {
  return (await database.query(park)).length;
}

/** How long the oldest one waits beyond its time, and how many are parked. */
export async function measureNotifications(database: Database): Promise<{ lateSeconds: number; parked: number }> {
  const [row] = await database.query<{ late: number; parked: number }>(measure);
  return { lateSeconds: row!.late, parked: row!.parked };
}

/** The status, held until the end of the transaction. Undefined when there is no such notification. */
export async function lockStatus(tx: Tx, tenant: string, id: string): Promise<NotificationStatus | undefined> {
  const [row] = await tx.query<{ status: NotificationStatus }>(lock, [tenant, id]);
  return row?.status;
}

/** Queues one anew that is parked. */
export async function queueAgain(tx: Tx, tenant: string, id: string): Promise<NotificationEntity> {
  const [row] = await tx.query<RequeuedRow>(requeue, [tenant, id]);
  const { customer_id: customerId, order_id: orderId, next_attempt_at: next, created_at: created, ...rest } = row!;
  const times = { nextAttemptAt: next.toISOString(), createdAt: created.toISOString(), sentAt: null };
  return { ...rest, customerId, orderId, ...times };
}

interface RequeuedRow extends Pick<
  NotificationEntity,
  'tenant' | 'id' | 'template' | 'cause' | 'status' | 'reason' | 'attempts'
> {
  customer_id: string;
  order_id: string;
  next_attempt_at: Date;
  created_at: Date;
}

const claimDue: Statement = {
  name: 'notification.claim-due',
  text: `
    with due as materialized (
      select tenant, id from notification
      where status in ('queued', 'sending') and (status = 'queued' or $3::boolean) and next_attempt_at <= now()
      order by next_attempt_at limit $1 for update skip locked
    )
    update notification n
    set status = 'queued', lease_token = gen_random_uuid(), next_attempt_at = now() + $2::int * interval '1 second'
    from due
    where n.tenant = due.tenant and n.id = due.id
    returning n.tenant, n.id, n.customer_id, n.template, n.cause, n.order_id, n.data, n.attempts, n.lease_token,
              n.traceparent`,
};

const begin: Statement = {
  name: 'notification.begin',
  text: `
    update notification set status = 'sending', next_attempt_at = now() + $4::int * interval '1 second'
    where tenant = $1 and id = $2 and lease_token = $3
    returning 1`,
};

const finish: Statement = {
  name: 'notification.finish',
  text: `
    update notification
    set status = $4, reason = $5, attempts = attempts + $6::int, lease_token = null,
        next_attempt_at = now() + $7::int * interval '1 millisecond',
        sent_at = case when $4 = 'sent' then now() end
    where tenant = $1 and id = $2 and lease_token = $3
    returning 1`,
};

const park: Statement = {
  name: 'notification.park-abandoned',
  text: `
    with left_behind as materialized (
      select tenant, id from notification
      where status in ('queued', 'sending') and status = 'sending' and next_attempt_at <= now()
      order by next_attempt_at limit 100 for update skip locked
    )
    update notification n set status = 'parked', reason = 'outcome_unknown', attempts = attempts + 1, lease_token = null
    from left_behind
    where n.tenant = left_behind.tenant and n.id = left_behind.id
    returning 1`,
};

const measure: Statement = {
  name: 'notification.measure',
  text: `
    select
      coalesce((select extract(epoch from now() - min(next_attempt_at)) from notification
                where status in ('queued', 'sending') and next_attempt_at <= now()), 0)::float8 as late,
      (select count(*) from notification where status = 'parked')::int as parked`,
};

const lock: Statement = {
  name: 'notification.lock',
  text: `select status from notification where tenant = $1 and id = $2 for update`,
};

const requeue: Statement = {
  name: 'notification.requeue',
  text: `
    update notification set status = 'queued', reason = null, attempts = 0, next_attempt_at = now()
    where tenant = $1 and id = $2
    returning tenant, id, customer_id, template, cause, order_id, status, reason, attempts, next_attempt_at, created_at`,
};
