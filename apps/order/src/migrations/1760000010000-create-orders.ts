/** The tables of products and orders. */
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
    // The controllers have checked all other values; docs/adr/0018 says why each statement does not check them again.
    // The check on the total stays, because it is money.
    await runner.query(`
      create table orders (
        tenant text not null,
        id uuid not null,
        customer_id text not null,
        items jsonb not null,
        total_amount bigint not null check (total_amount >= 0),
        total_currency text not null,
        status text not null,
        reason text,
        request_hash bytea not null,
        saga_id uuid not null,
        cancel_saga_id uuid,
        version int not null default 1,
        created_at timestamptz not null default now(),
        updated_at timestamptz not null default now(),
        placed_as uuid,
        constraint orders_pkey primary key (tenant, id)
      ) with (fillfactor = 80)`);
    await runner.query(
      `comment on table orders is 'Orders as the client sees them; prices are those of the moment of ordering'`,
    );
    await runner.query(
      `comment on column orders.placed_as is 'Hash of the claim under which it was placed; null under an id of the client, which is its own natural key'`,
    );
    await runner.query(`create index orders_open on orders (tenant, id) where status in ('pending', 'cancelling')`);
    // The natural key of an order that was placed with an Idempotency-Key. It stays when the ledger forgets the key.
    await runner.query(`create unique index orders_placed_as on orders (placed_as) where placed_as is not null`);
  }

  async down(): Promise<void> {
    throw new Error('migrations only go forward');
  }
}
