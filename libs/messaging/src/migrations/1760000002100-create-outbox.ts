/** The outbox: events to be published, what was published, and how far the relay is. */
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CreateOutbox1760000002100 implements MigrationInterface {
  name = 'CreateOutbox1760000002100';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table outbox (
        xid xid8 not null default pg_current_xact_id(),
        position bigint generated always as identity,
        event json not null check (octet_length(event::text) <= 65536),
        primary key (xid, position)
      )`);
    await runner.query(
      `comment on table outbox is 'Events, written with what they tell of; insert-only, removed when the stream keeps them no longer'`,
    );
    await runner.query(
      `comment on column outbox.xid is 'The transaction that wrote it: what is older than every open transaction is complete'`,
    );
    await runner.query(`
      create table outbox_batch (
        sequence bigint primary key check (sequence > 0),
        after_xid xid8 not null,
        after_position bigint not null,
        upto_xid xid8 not null,
        upto_position bigint not null,
        published_at timestamptz not null default now()
      )`);
    await runner.query(
      `comment on table outbox_batch is 'Which stretch of the outbox (after, upto] the stream acknowledged under which sequence'`,
    );
    await runner.query(`
      create table outbox_relay (
        single boolean primary key default true check (single),
        xid xid8 not null default '0',
        position bigint not null default 0,
        sequence bigint not null default 0 check (sequence >= 0),
        stream_created text check (length(stream_created) <= 100),
        lease_token uuid,
        leased_until timestamptz not null default '-infinity'
      )`);
    await runner.query(
      `comment on table outbox_relay is 'One row: how far the outbox is published, the last sequence of which stream, and who publishes'`,
    );
    await runner.query(`insert into outbox_relay default values`);
  }

  async down(): Promise<void> {
    throw new Error('migrations only go forward');
  }
}
