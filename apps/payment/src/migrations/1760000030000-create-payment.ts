/**
 * The tables of payments, and of refunds that were requested over HTTP. Refunds of a saga are kept with their payment.
 */
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CreatePayment1760000030000 implements MigrationInterface {
  name = 'CreatePayment1760000030000';

  async up(runner: QueryRunner): Promise<void> {
    // The controllers and handlers have checked all other values; docs/adr/0018 says why each statement does not check
    // them again. Three checks stay, which guard the money: nothing is negative, no more is given back than was taken,
    // and only taken money is given back.
    await runner.query(`
      create table payment (
        tenant text not null,
        id text not null,
        order_id uuid,
        amount bigint not null check (amount >= 0),
        currency text not null,
        source text not null,
        status text not null,
        decline_reason text,
        provider_reference text,
        refunded bigint not null default 0 check (refunded >= 0),
        refund_reference text,
        version int not null default 1,
        created_at timestamptz not null default now(),
        updated_at timestamptz not null default now(),
        constraint payment_pkey primary key (tenant, id),
        check (refunded = 0 or (status = 'succeeded' and refunded <= amount))
      ) with (fillfactor = 70)`);
    await runner.query(
      `comment on table payment is 'Money taken from customers; pending while the provider has not told the outcome'`,
    );
    await runner.query(
      `comment on column payment.source is 'The provider''s token, kept to ask again with the same request'`,
    );
    await runner.query(`
      create table refund (
        tenant text not null,
        id text not null check (id like 'rfd\\_%' and length(id) <= 64),
        payment_id text not null,
        amount bigint not null check (amount > 0),
        status text not null check (status in ('pending', 'succeeded', 'failed')),
        provider_reference text check (length(provider_reference) <= 200),
        created_at timestamptz not null default now(),
        updated_at timestamptz not null default now(),
        constraint refund_pkey primary key (tenant, id),
        constraint refund_payment_fkey foreign key (tenant, payment_id) references payment (tenant, id),
        check ((status = 'succeeded') = (provider_reference is not null))
      ) with (fillfactor = 70)`);
    await runner.query(`create index refund_of_payment on refund (tenant, payment_id, id)`);
    await runner.query(
      `comment on table refund is 'Money given back; pending while the provider has not told the outcome, and counted until it has failed'`,
    );
  }

  async down(): Promise<void> {
    throw new Error('migrations only go forward');
  }
}
