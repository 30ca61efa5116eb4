/** Money that is held may be taken in parts, and all money that goes back is a row: refunds of sagas too, and disputes. */
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class MoneyBack1760000030400 implements MigrationInterface {
  name = 'MoneyBack1760000030400';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      alter table payment
        add column captured bigint,
        add column disputed bigint not null default 0,
        add column expiry_told boolean not null default false,
        add constraint payment_captured_check check (captured >= 0 and captured <= amount),
        add constraint payment_disputed_check check (disputed >= 0)`);
    await runner.query(
      `comment on column payment.captured is 'What captures took of money that was held first; null if it was taken at once'`,
    );
    await runner.query(`comment on column payment.disputed is 'The sum of its disputes that are open or lost'`);
    await runner.query(
      `comment on column payment.expiry_told is 'It was told that money which is held will soon be free again'`,
    );
    // A refund has its name as soon as the provider accepts it. Whether it succeeds is known later.
    await runner.query(`
      alter table refund
        add column cause text not null default 'request' check (cause in ('request', 'saga', 'landed')),
        add column check_at timestamptz,
        drop constraint refund_check,
        add constraint refund_check check (status <> 'succeeded' or provider_reference is not null)`);
    await runner.query(`create index refund_check_at on refund (check_at) where check_at is not null`);
    await runner.query(
      `create index refund_of_provider on refund (provider_reference) where provider_reference is not null`,
    );
    await runner.query(
      `comment on table refund is 'Money given back; pending while the provider has not settled it, and counted until it has failed'`,
    );
    await runner.query(
      `comment on column refund.cause is 'A request over HTTP, the undo of a saga, or money that landed when nobody wanted it any more'`,
    );
    await runner.query(`comment on column refund.check_at is 'When the provider is asked what became of it'`);
    await runner.query(`
      create table capture (
        tenant text not null,
        id text not null check (id like 'cap\\_%' and length(id) <= 64),
        payment_id text not null,
        amount bigint not null check (amount > 0),
        final boolean not null,
        status text not null check (status in ('pending', 'succeeded', 'failed')),
        created_at timestamptz not null default now(),
        updated_at timestamptz not null default now(),
        constraint capture_pkey primary key (tenant, id),
        constraint capture_payment_fkey foreign key (tenant, payment_id) references payment (tenant, id)
      ) with (fillfactor = 70)`);
    await runner.query(`create index capture_of_payment on capture (tenant, payment_id, id)`);
    await runner.query(
      `comment on table capture is 'Money taken of what is held; pending while the outcome is unknown, and counted until it has failed'`,
    );
    await runner.query(`
      create table dispute (
        tenant text not null,
        id text not null check (length(id) between 1 and 200),
        payment_id text not null,
        amount bigint not null check (amount >= 0),
        currency text not null check (length(currency) = 3),
        reason text not null check (length(reason) <= 100),
        status text not null check (status in ('open', 'won', 'lost')),
        opened_at timestamptz not null,
        closed_at timestamptz,
        constraint dispute_pkey primary key (tenant, id),
        constraint dispute_payment_fkey foreign key (tenant, payment_id) references payment (tenant, id),
        check ((status = 'open') = (closed_at is null))
      )`);
    await runner.query(`create index dispute_of_payment on dispute (tenant, payment_id, id)`);
    await runner.query(`create index dispute_status on dispute (tenant, status, id)`);
    await runner.query(
      `comment on table dispute is 'Money that a bank has taken back for its customer; it comes back if the dispute is won'`,
    );
  }

  async down(): Promise<void> {
    throw new Error('migrations only go forward');
  }
}
