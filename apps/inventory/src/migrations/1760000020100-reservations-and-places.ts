/** Reservations of clients, which expire, and stock with places, bundles, backorders and limits for customers. */
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class ReservationsAndPlaces1760000020100 implements MigrationInterface {
  name = 'ReservationsAndPlaces1760000020100';

  async up(runner: QueryRunner): Promise<void> {
    // No index may have one of the numbers of a stock row: they change with each order, and a row whose indexed columns
    // stay the same is written anew on its own page, without the indexes (HOT).
    await runner.query(`
      alter table stock
        add column awaited bigint not null default 0 check (awaited >= 0),
        add column backorder_limit bigint not null default 0 check (backorder_limit >= 0),
        add column customer_limit int check (customer_limit > 0),
        add column components jsonb,
        add column located boolean not null default false,
        drop constraint stock_check,
        add constraint stock_held_check check (reserved - awaited between 0 and on_hand)`);
    await runner.query(`comment on column stock.reserved is 'Held pieces, and those that are awaited'`);
    await runner.query(`comment on column stock.awaited is 'Reserved pieces that have not been given to anybody yet'`);
    await runner.query(
      `comment on column stock.components is 'Of a bundle, which has no pieces of its own: [{sku, quantity}]'`,
    );
    await runner.query(`comment on column stock.located is 'It has rows in stock_place'`);
    await runner.query(`
      create table stock_place (
        tenant text not null,
        sku text not null,
        place text not null,
        on_hand bigint not null check (on_hand >= 0),
        reserved bigint not null default 0 check (reserved >= 0),
        constraint stock_place_pkey primary key (tenant, sku, place),
        check (reserved <= on_hand)
      ) with (fillfactor = 50)`);
    await runner.query(
      `comment on table stock_place is 'Where the pieces of a SKU are, if it has places; guarded by the row of its stock'`,
    );
    await runner.query(`
      alter table reservation
        drop constraint reservation_pkey,
        add constraint reservation_pkey primary key (tenant, id),
        add column expires_at timestamptz,
        add column placed_by text,
        add column customer text,
        add column pieces jsonb,
        add column awaited jsonb,
        add column counted jsonb,
        add column request_hash bytea,
        add column taken_by uuid,
        add column version int not null default 1`);
    const columns = {
      placed_by: 'The principal that asked for it; null when a saga did',
      customer: 'A hash of who gets the pieces, where a limit or a client asks for it',
      pieces: 'What it holds or has sold, components of bundles: [{sku, quantity, place}]; null: the same as lines',
      awaited: 'What it still waits for: [{sku, quantity}]',
      counted: 'What counts for the limits of its customer: [{sku, quantity}]',
      request_hash: 'Of the request of a client',
      taken_by: 'The reservation of an order that has taken this one over',
    };
    for (const [column, text] of Object.entries(columns))
      await runner.query(`comment on column reservation.${column} is '${text}'`);
    await runner.query(`create index reservation_expiry on reservation (expires_at) where status = 'open'`);
    // The words with || keep the planner from this index where the primary key is meant.
    await runner.query(`create index reservation_list on reservation ((tenant || ''), created_at, id)`);
    // A client finds its own among those of sagas, which are many more, and which are not in it.
    await runner.query(
      `create index reservation_by_principal on reservation ((tenant || ''), (placed_by || ''), created_at, id)
       where placed_by is not null`,
    );
    await runner.query(`
      create table backorder (
        tenant text not null,
        sku text not null,
        position bigint generated always as identity,
        reservation_id uuid not null,
        quantity bigint not null check (quantity > 0),
        constraint backorder_pkey primary key (tenant, sku, position)
      )`);
    await runner.query(
      `comment on table backorder is 'The queues for pieces that are to come; that of a SKU is guarded by the row of its stock'`,
    );
    await runner.query(`create index backorder_reservation on backorder (reservation_id)`);
    await runner.query(`
      create table customer_holding (
        tenant text not null,
        sku text not null,
        customer text not null,
        quantity bigint not null check (quantity >= 0),
        constraint customer_holding_pkey primary key (tenant, sku, customer)
      )`);
    await runner.query(
      `comment on table customer_holding is 'What a customer holds and has bought of SKUs with a limit: the sum of reservation.counted'`,
    );
    await runner.query(`alter table stock_movement add column place text`);
    await runner.query(`create index stock_movement_sku on stock_movement (tenant, sku, id)`);
    await runner.query(`
      create table stock_repair (
        id bigint generated always as identity primary key,
        tenant text not null,
        sku text not null,
        by text not null check (length(by) <= 200),
        reason text not null check (length(reason) <= 200),
        before jsonb not null,
        after jsonb not null,
        at timestamptz not null default now()
      )`);
    await runner.query(
      `comment on table stock_repair is 'Append-only: the numbers of a SKU that an operator had made anew from its reservations'`,
    );
  }

  async down(): Promise<void> {
    throw new Error('migrations only go forward');
  }
}
