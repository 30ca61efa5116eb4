/** Stock, its movements, and reservations. */
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CreateStock1760000020000 implements MigrationInterface {
  name = 'CreateStock1760000020000';

  async up(runner: QueryRunner): Promise<void> {
    // Room on the page for new versions: the two numbers of a popular SKU change all the time.
    await runner.query(`
      create table stock (
        tenant text not null check (length(tenant) between 1 and 64),
        sku text not null check (length(sku) between 1 and 64),
        on_hand bigint not null check (on_hand >= 0),
        reserved bigint not null default 0 check (reserved >= 0),
        version int not null default 1 check (version > 0),
        created_at timestamptz not null default now(),
        updated_at timestamptz not null default now(),
        constraint stock_pkey primary key (tenant, sku),
        check (reserved <= on_hand)
      ) with (fillfactor = 50)`);
    await runner.query(`comment on table stock is 'Pieces on hand, and how many of them are reserved'`);
    await runner.query(`
      create table stock_movement (
        id bigint generated always as identity primary key,
        tenant text not null,
        sku text not null,
        delta bigint not null check (delta <> 0),
        reason text not null check (length(reason) between 1 and 100),
        cause text not null check (length(cause) between 1 and 255),
        at timestamptz not null default now()
      )`);
    await runner.query(`comment on table stock_movement is 'Append-only: every change of on_hand, which is their sum'`);
    await runner.query(`
      create table reservation (
        id uuid primary key,
        tenant text not null,
        lines jsonb not null,
        status text not null check (status in ('open', 'confirmed', 'released', 'restocked')),
        created_at timestamptz not null default now(),
        updated_at timestamptz not null default now()
      ) with (fillfactor = 80)`);
    await runner.query(
      `comment on table reservation is 'Pieces held for one saga or client; the open ones add up to stock.reserved'`,
    );
  }

  async down(): Promise<void> {
    throw new Error('migrations only go forward');
  }
}
