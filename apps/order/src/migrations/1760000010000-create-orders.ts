/** Products and orders. */
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CreateOrders1760000010000 implements MigrationInterface {
  name = 'CreateOrders1760000010000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table product (
        tenant text not null check (length(tenant) between 1 and 64),
        sku text not null check (length(sku) between 1 and 64),
        name text not null check (length(name) between 1 and 200),
        price_amount bigint not null check (price_amount >= 0),
        price_currency text not null check (price_currency ~ '^[A-Z]{3}$'),
        version int not null default 1 check (version > 0),
        created_at timestamptz not null default now(),
        updated_at timestamptz not null default now(),
        primary key (tenant, sku)
      )`);
    await runner.query(
      `comment on table product is 'The catalogue: what can be ordered, and its price in minor units'`,
    );
    await runner.query(`
      create table orders (
        tenant text not null check (length(tenant) between 1 and 64),
        id uuid not null,
        customer_id text not null check (length(customer_id) between 1 and 100),
        items jsonb not null,
        total_amount bigint not null check (total_amount >= 0),
        total_currency text not null check (total_currency ~ '^[A-Z]{3}$'),
        status text not null check (status in ('pending', 'confirmed', 'cancelling', 'cancelled')),
        reason text check (length(reason) <= 100),
        request_hash bytea not null check (octet_length(request_hash) = 32),
        saga_id uuid not null,
        cancel_saga_id uuid,
        version int not null default 1 check (version > 0),
        created_at timestamptz not null default now(),
        updated_at timestamptz not null default now(),
        constraint orders_pkey primary key (tenant, id)
      ) with (fillfactor = 80)`);
    await runner.query(
      `comment on table orders is 'Orders as the client sees them; prices are those of the moment of ordering'`,
    );
    await runner.query(`create index orders_open on orders (tenant, id) where status in ('pending', 'cancelling')`);
  }

  async down(): Promise<void> {
    throw new Error('migrations only go forward');
  }
}
