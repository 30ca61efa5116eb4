/** Payments. */
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CreatePayment1760000030000 implements MigrationInterface {
  name = 'CreatePayment1760000030000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table payment (
        tenant text not null check (length(tenant) between 1 and 64),
        id text not null check (id like 'pmt\\_%' and length(id) <= 64),
        order_id uuid,
        amount bigint not null check (amount >= 0),
        currency text not null check (currency ~ '^[A-Z]{3}$'),
        source text not null check (length(source) <= 200),
        status text not null check (status in ('pending', 'succeeded', 'declined')),
        decline_reason text check (length(decline_reason) <= 200),
        provider_reference text check (length(provider_reference) <= 200),
        refunded bigint not null default 0 check (refunded >= 0),
        refund_reference text check (length(refund_reference) <= 200),
        version int not null default 1 check (version > 0),
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
  }

  async down(): Promise<void> {
    throw new Error('migrations only go forward');
  }
}
