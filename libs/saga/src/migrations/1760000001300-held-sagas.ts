/** Sagas and steps can be held, and the body of a refused command corrected. */
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class HeldSagas1760000001300 implements MigrationInterface {
  name = 'HeldSagas1760000001300';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`alter table saga add column held jsonb, add column awaited jsonb`);
    await runner.query(
      `comment on column saga.held is 'Who holds it and why, and what it owes; only true of the version of the row that it names'`,
    );
    await runner.query(
      `comment on column saga.awaited is 'More about the awaited command: that it was refused for sure, and its corrected body'`,
    );
    // Only a held saga pays for it. Its columns do not change with a step, so the others stay on their page.
    await runner.query(`create index saga_held on saga (id) where held is not null`);
    await runner.query(`
      create table saga_hold (
        id bigint generated always as identity primary key,
        tenant text not null check (length(tenant) between 1 and 64),
        definition text not null check (length(definition) between 1 and 100),
        step text not null check (length(step) between 1 and 100),
        held_by text not null check (length(held_by) between 1 and 200),
        reason text not null check (length(reason) between 1 and 500),
        since timestamptz not null default now(),
        released_by text check (length(released_by) between 1 and 200),
        released_at timestamptz,
        check ((released_at is null) = (released_by is null))
      )`);
    await runner.query(
      `comment on table saga_hold is 'Steps that are or were held, for the sagas of one tenant; every replica reads those that are'`,
    );
    await runner.query(
      `create unique index saga_hold_now on saga_hold (tenant, definition, step) where released_at is null`,
    );
  }

  async down(): Promise<void> {
    throw new Error('migrations only go forward');
  }
}
