/** Refunds that were asked for over HTTP; what a saga gives back is kept with its payment. */
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CreateRefund1760000030001 implements MigrationInterface {
  name = 'CreateRefund1760000030001';

  async up(runner: QueryRunner): Promise<void> {
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
