/** The mails to customers: which are to be sent, and what came of each. */
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class Notifications1760000040200 implements MigrationInterface {
  name = 'Notifications1760000040200';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table notification (
        tenant text not null check (length(tenant) between 1 and 64),
        id text not null check (id ~ '^ntf_[A-Za-z0-9_-]{27}$'),
        customer_id text not null check (length(customer_id) between 1 and 100),
        template text not null
          check (template in ('order-confirmed', 'order-cancelled', 'payment-refunded', 'order-delivered')),
        cause text not null check (length(cause) between 1 and 100),
        order_id uuid not null,
        data jsonb not null check (length(data::text) <= 32768),
        status text not null check (status in ('queued', 'sending', 'sent', 'parked', 'suppressed')),
        reason text check (reason ~ '^[a-z0-9_]{1,40}$'),
        attempts integer not null default 0 check (attempts >= 0),
        next_attempt_at timestamptz not null default now(),
        lease_token uuid,
        created_at timestamptz not null default now(),
        sent_at timestamptz,
        primary key (tenant, id),
        unique (tenant, template, cause),
        check ((status = 'sent') = (sent_at is not null))
      )`);
    await runner.query(`
      comment on table notification is 'One mail for one cause, claimed by this row when it is queued. A cause belongs to one customer, so that the key needs no customer and outlives an erasure'`);
    await runner.query(`comment on column notification.reason is 'A code: why it waits, is parked or suppressed'`);
    await runner.query(
      `comment on column notification.next_attempt_at is 'When it may be taken; while somebody works on it, the end of the lease'`,
    );
    await runner.query(
      `comment on column notification.lease_token is 'Of the last one who took it; whoever finishes names it'`,
    );
    await runner.query(
      `create index notification_due on notification (next_attempt_at) where status in ('queued', 'sending')`,
    );
    await runner.query(`create index notification_parked on notification (tenant) where status = 'parked'`);
    await runner.query(`create index notification_order on notification (tenant, order_id)`);
    await runner.query(`create index notification_customer on notification (tenant, customer_id)`);
  }

  async down(): Promise<void> {
    throw new Error('migrations only go forward');
  }
}
