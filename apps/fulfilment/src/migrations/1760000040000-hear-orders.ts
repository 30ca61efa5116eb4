/** What the service has heard of orders and refunds, and the points of customers. */
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class HearOrders1760000040000 implements MigrationInterface {
  name = 'HearOrders1760000040000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table birth (
        single boolean primary key default true check (single),
        at timestamptz not null default now()
      )`);
    await runner.query(
      `comment on table birth is 'One row: since when this service cares for orders; others did so for those before'`,
    );
    await runner.query('insert into birth default values');
    await runner.query(`
      create table heard_order (
        tenant text not null check (length(tenant) between 1 and 64),
        order_id uuid not null,
        status text not null check (status in ('confirmed', 'cancelled')),
        was_confirmed boolean not null,
        earlier boolean not null default false,
        amount bigint check (amount >= 0),
        currency text check (currency ~ '^[A-Z]{3}$'),
        reason text check (length(reason) <= 100),
        customer_id text check (length(customer_id) between 1 and 100),
        placed_by text check (length(placed_by) <= 200),
        lines jsonb check (jsonb_typeof(lines) = 'array'),
        due_at timestamptz default now(),
        attempts int not null default 0 check (attempts >= 0),
        version int not null default 1 check (version > 0),
        heard_at timestamptz not null default now(),
        constraint heard_order_pkey primary key (tenant, order_id)
      ) with (fillfactor = 70)`);
    await runner.query(`comment on table heard_order is 'Orders as events told of them, and what is still to follow'`);
    const columns = {
      was_confirmed: 'It is or was confirmed; a cancelled order may never have been',
      earlier: 'It was confirmed before the birth of the service: no mail, and no delivery',
      customer_id: 'Read from the order service; null until then, and when there is nobody',
      lines: 'Read from the order service: [{sku, quantity}]',
      due_at: 'When to see to it; null when nothing is to be done',
      version: 'Counts what was heard, so that nothing that comes meanwhile is overlooked',
    };
    for (const [column, text] of Object.entries(columns))
      await runner.query(`comment on column heard_order.${column} is '${text}'`);
    await runner.query('create index heard_order_due on heard_order (due_at) where due_at is not null');
    await runner.query(`
      create table heard_refund (
        tenant text not null check (length(tenant) between 1 and 64),
        refund_id text not null check (length(refund_id) between 1 and 64),
        order_id uuid not null,
        amount bigint not null check (amount > 0),
        currency text not null check (currency ~ '^[A-Z]{3}$'),
        done boolean not null default false,
        heard_at timestamptz not null default now(),
        constraint heard_refund_pkey primary key (tenant, refund_id)
      )`);
    await runner.query(`comment on table heard_refund is 'Money that went back to customers, and whom to tell of it'`);
    await runner.query('create index heard_refund_open on heard_refund (tenant, order_id) where not done');
    await runner.query(`
      create table point_entry (
        tenant text not null check (length(tenant) between 1 and 64),
        order_id uuid not null,
        kind text not null check (kind in ('earned', 'taken_back')),
        customer_id text not null check (length(customer_id) between 1 and 100),
        placed_by text check (length(placed_by) <= 200),
        points bigint not null check ((kind = 'earned') = (points > 0) and points <> 0),
        at timestamptz not null default clock_timestamp(),
        constraint point_entry_pkey primary key (tenant, order_id, kind)
      )`);
    await runner.query(
      `comment on table point_entry is 'Points of customers: their sum is the balance. Each order earns once, and loses once'`,
    );
    await runner.query('create index point_entry_by_customer on point_entry (tenant, customer_id, at, order_id, kind)');
  }

  async down(): Promise<void> {
    throw new Error('migrations only go forward');
  }
}
