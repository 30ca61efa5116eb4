/** Carts, and the promotions that their customers want. */
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class Carts1760000010600 implements MigrationInterface {
  name = 'Carts1760000010600';

  async up(runner: QueryRunner): Promise<void> {
    // A cart is changed often before it is ordered, so there is room for the new row beside the old one.
    await runner.query(`
      create table cart (
        tenant text not null check (length(tenant) between 1 and 64),
        id text not null check (id ~ '^[A-Za-z0-9_-]{1,64}$'),
        placed_by text not null,
        customer_id text not null check (length(customer_id) <= 200),
        items jsonb not null,
        status text not null default 'open' check (status in ('open', 'ordered')),
        order_id uuid,
        version int not null default 1 check (version > 0),
        deleted_at timestamptz,
        created_at timestamptz not null default now(),
        updated_at timestamptz not null default now(),
        primary key (tenant, id),
        check ((status = 'ordered') = (order_id is not null)),
        check (deleted_at is null or status = 'open')
      ) with (fillfactor = 70)`);
    await runner.query(`comment on table cart is 'What customers mean to order; prices are those of the products'`);
    await runner.query(
      `comment on column cart.placed_by is 'The principal that made it; only this one and operators see it'`,
    );
    await runner.query(`comment on column cart.version is 'Each change adds one, and names the one that it changes'`);
    await runner.query(
      `comment on column cart.deleted_at is 'Set for a cart that is gone: the row is empty and only keeps the version, so that an old ETag never fits a new cart'`,
    );
    // As in orders_by_creation, only a query with the same words takes them, and so no look-up of a cart by its key.
    await runner.query(
      `create index cart_by_creation on cart ((tenant || ''), created_at, id) where deleted_at is null`,
    );
    await runner.query(
      `create index cart_by_principal on cart ((tenant || ''), (placed_by || ''), created_at, id) where deleted_at is null`,
    );
    await runner.query(`
      create table cart_promotion (
        tenant text not null,
        cart_id text not null,
        code text not null check (code ~ '^[A-Z0-9-]{1,40}$'),
        created_at timestamptz not null default now(),
        primary key (tenant, cart_id, code),
        foreign key (tenant, cart_id) references cart (tenant, id) on delete cascade
      )`);
    await runner.query(
      `comment on table cart_promotion is 'The promotions that a cart shall be ordered with; written only together with the version of the cart'`,
    );
  }

  async down(): Promise<void> {
    throw new Error('migrations only go forward');
  }
}
