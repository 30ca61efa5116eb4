/** Deliveries: what is handed to the carrier, and how far it is. */
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CreateDeliveries1760000040300 implements MigrationInterface {
  name = 'CreateDeliveries1760000040300';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table delivery (
        tenant text not null check (length(tenant) between 1 and 64),
        id text not null unique check (id ~ '^dlv_[A-Za-z0-9_-]{1,60}$'),
        order_id uuid not null,
        customer_id text check (length(customer_id) between 1 and 100),
        placed_by text check (length(placed_by) <= 200),
        lines jsonb not null default '[]' check (jsonb_typeof(lines) = 'array'),
        status text not null check (status in
          ('waiting', 'handing_over', 'handed_over', 'delivered', 'stopped', 'recalled', 'parked', 'elsewhere')),
        asked boolean not null default false,
        stop_wanted boolean not null default false,
        service text check (service in ('home', 'pick-up')),
        carrier_reference text check (length(carrier_reference) between 1 and 100),
        tracking_number text check (length(tracking_number) between 1 and 100),
        label_url text check (length(label_url) between 1 and 500),
        attempts integer not null default 0,
        last_error text check (last_error ~ '^[a-z0-9_]{1,80}$'),
        next_at timestamptz,
        lease_token uuid,
        leased_until timestamptz,
        version integer not null default 1,
        created_at timestamptz not null default now(),
        handed_over_at timestamptz,
        ended_at timestamptz,
        updated_at timestamptz not null default now(),
        primary key (tenant, id),
        check ((lease_token is null) = (leased_until is null)),
        check (status <> 'handed_over' or carrier_reference is not null)
      )`);
    await runner.query(
      `comment on table delivery is 'One for each order that was confirmed or stopped; its id follows from the order. Name and address are read from the profile for the hand-over, and not kept'`,
    );
    await runner.query(
      `comment on column delivery.customer_id is 'Null behind an erasure, and where only a stop came'`,
    );
    await runner.query(`comment on column delivery.placed_by is 'Who may see it; null where nobody knows any more'`);
    await runner.query(`comment on column delivery.asked is 'The carrier may have it: it was asked to take it'`);
    await runner.query(
      `comment on column delivery.stop_wanted is 'Nobody hands it over any more; the stop finds out what the carrier has'`,
    );
    await runner.query(`comment on column delivery.carrier_reference is 'The name of the shipment at the carrier'`);
    await runner.query(`comment on column delivery.next_at is 'When the worker looks at it; null: not by itself'`);
    await runner.query(`create index delivery_due on delivery (next_at) where next_at is not null`);
    await runner.query(`create index delivery_parked on delivery (tenant, id) where status = 'parked'`);
    await runner.query(
      `create index delivery_open on delivery (created_at) where status in ('waiting', 'handing_over')`,
    );
    await runner.query(`create index delivery_placed on delivery (tenant, placed_by, id) where placed_by is not null`);
    await runner.query(`create index delivery_customer on delivery (tenant, customer_id)`);
  }

  async down(): Promise<void> {
    throw new Error('migrations only go forward');
  }
}
