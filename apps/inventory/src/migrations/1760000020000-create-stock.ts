/** Stock, its movements, and reservations. */
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CreateStock1760000020000 implements MigrationInterface {
  name = 'CreateStock1760000020000';

  async up(runner: QueryRunner): Promise<void> {
    // The controllers and handlers have checked all other values; docs/adr/0018 says why each statement does not check
    // them again. Three checks stay, which guard the pieces: nothing is negative, and no more is reserved than is on
    // hand.
    // Each page has room for new versions of its rows, because the two numbers of a popular SKU change all the time.
    await runner.query(`
      create table stock (
        tenant text not null,
        sku text not null,
        on_hand bigint not null check (on_hand >= 0),
        reserved bigint not null default 0 check (reserved >= 0),
        version int not null default 1,
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
        delta bigint not null,
        reason text not null,
        cause text not null,
        at timestamptz not null default now()
      )`);
    await runner.query(`comment on table stock_movement is 'Append-only: every change of on_hand, which is their sum'`);
    await runner.query(
      `comment on column stock_movement.cause is 'The reservation it was sold from or returned to; PUT for a count; POST and the hash of the claim for an adjustment'`,
    );
    // The movement of an adjustment names its request once. This natural key stays when the ledger forgets the request.
    // The causes of sagas are ids and are not in the index, so their movements pay nothing for it.
    await runner.query(
      `create unique index stock_movement_adjustment on stock_movement (cause) where cause like 'POST %'`,
    );
    await runner.query(`
      create table reservation (
        id uuid primary key,
        tenant text not null,
        lines jsonb not null,
        status text not null,
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
