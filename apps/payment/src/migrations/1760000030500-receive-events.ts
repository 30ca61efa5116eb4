/** Events of the payment provider, and payouts, which only such events tell of. */
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class ReceiveEvents1760000030500 implements MigrationInterface {
  name = 'ReceiveEvents1760000030500';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table provider_event (
        id text primary key check (length(id) between 1 and 255),
        type text not null check (length(type) between 1 and 100),
        object_id text not null check (length(object_id) <= 255),
        intent_id text check (length(intent_id) <= 255),
        tenant text check (length(tenant) between 1 and 64),
        payment_id text check (length(payment_id) between 1 and 64),
        created_at timestamptz not null,
        received_at timestamptz not null default now(),
        status text not null default 'open' check (status in ('open', 'done', 'ignored')),
        attempts integer not null default 0,
        next_at timestamptz not null default now(),
        last_error text check (length(last_error) <= 300),
        check ((tenant is null) = (payment_id is null))
      )`);
    await runner.query(
      `comment on table provider_event is 'Hints of the payment provider that there is news. Only ids are kept: the news is read from the provider'`,
    );
    await runner.query(`comment on column provider_event.created_at is 'At the provider, by its clock'`);
    await runner.query(
      `comment on column provider_event.attempts is 'Each is a lease until next_at; whoever finishes names its number'`,
    );
    await runner.query(`create index provider_event_open on provider_event (next_at) where status = 'open'`);
    await runner.query(`create index provider_event_ended on provider_event (received_at) where status <> 'open'`);
    await runner.query(`create index provider_event_status on provider_event (status, id)`);
    await runner.query(`
      create table payout (
        id text primary key check (length(id) between 1 and 255),
        amount bigint not null,
        currency text not null check (currency ~ '^[A-Z]{3}$'),
        status text not null check (status in ('pending', 'in_transit', 'paid', 'failed', 'cancelled')),
        arrival_date date not null,
        failure_code text check (length(failure_code) <= 100),
        read_at timestamptz not null
      )`);
    await runner.query(`comment on table payout is 'Money that the provider sends to our bank, as it told last'`);
    await runner.query(
      `comment on column payout.read_at is 'When the look at the provider began. An earlier look does not change it'`,
    );
  }

  async down(): Promise<void> {
    throw new Error('migrations only go forward');
  }
}
