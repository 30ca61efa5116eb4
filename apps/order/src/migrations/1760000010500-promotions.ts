/** Promotions, who uses them, and what an order keeps of its cart and of its discount. */
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class Promotions1760000010500 implements MigrationInterface {
  name = 'Promotions1760000010500';

  async up(runner: QueryRunner): Promise<void> {
    // Each ordering batch changes `used` once for each promotion, so there is room for the new row beside the old one.
    await runner.query(`
      create table promotion (
        tenant text not null check (length(tenant) between 1 and 64),
        code text not null check (code ~ '^[A-Z0-9-]{1,40}$'),
        kind text not null check (kind in ('percent', 'amount')),
        percent int check (percent between 1 and 100),
        amount bigint check (amount > 0),
        currency text check (currency ~ '^[A-Z]{3}$'),
        skus jsonb,
        minimum bigint check (minimum > 0),
        starts_at timestamptz,
        ends_at timestamptz,
        max_uses int check (max_uses > 0),
        max_uses_per_customer int check (max_uses_per_customer > 0),
        combinable boolean not null,
        used int not null default 0 check (used >= 0),
        version int not null default 1 check (version > 0),
        deleted_at timestamptz,
        created_at timestamptz not null default now(),
        updated_at timestamptz not null default now(),
        primary key (tenant, code),
        check ((kind = 'percent') = (percent is not null)),
        check ((kind = 'amount') = (amount is not null)),
        check ((amount is null and minimum is null) = (currency is null))
      ) with (fillfactor = 50)`);
    await runner.query(
      `comment on table promotion is 'Codes that take something off an order; money in minor units of the currency'`,
    );
    await runner.query(
      `comment on column promotion.used is 'The uses that are taken or confirmed; only the transactions that write promotion_use change it'`,
    );
    await runner.query(
      `comment on column promotion.deleted_at is 'Set for a code that is gone: its uses and its version still count when it comes again'`,
    );
    await runner.query(`
      create table promotion_use (
        tenant text not null,
        code text not null,
        order_id uuid not null,
        customer text not null,
        status text not null check (status in ('taken', 'confirmed', 'returned')),
        created_at timestamptz not null default now(),
        updated_at timestamptz not null default now(),
        primary key (tenant, code, order_id)
      ) with (fillfactor = 80)`);
    await runner.query(
      `comment on table promotion_use is 'One use of a promotion by one order: taken with the order, confirmed with it, returned when it is cancelled'`,
    );
    await runner.query(
      `comment on column promotion_use.customer is 'Hash of the customer, to count the uses of one customer'`,
    );
    // Written in other words than the key, so that no look-up by the key takes it (see orders_by_creation).
    await runner.query(
      `create index promotion_use_by_customer on promotion_use ((tenant || ''), code, customer) where status <> 'returned'`,
    );
    await runner.query(`
      alter table orders
        add column discount_amount bigint not null default 0 check (discount_amount >= 0),
        add column promotions jsonb,
        add column cart_id text,
        add column reservation_id uuid`);
    await runner.query(
      `comment on column orders.discount_amount is 'What the promotions have taken off; total_amount is without it'`,
    );
    await runner.query(
      `comment on column orders.reservation_id is 'The reservation that the client had made before, and that the order takes over'`,
    );
  }

  async down(): Promise<void> {
    throw new Error('migrations only go forward');
  }
}
