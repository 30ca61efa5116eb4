/** Profiles: who a customer is, for whoever has to write to them or send them something. */
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class Profiles1760000010700 implements MigrationInterface {
  name = 'Profiles1760000010700';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table profile (
        tenant text not null check (length(tenant) between 1 and 64),
        id text not null check (length(id) between 1 and 100),
        placed_by text not null,
        display_name text not null check (length(display_name) between 1 and 100),
        email text not null check (length(email) between 3 and 254),
        locale text not null check (length(locale) between 2 and 35),
        phone text check (length(phone) between 3 and 16),
        address jsonb check (jsonb_typeof(address) = 'object'),
        version int not null default 1 check (version > 0),
        created_at timestamptz not null default now(),
        updated_at timestamptz not null default now(),
        primary key (tenant, id)
      )`);
    await runner.query(
      `comment on table profile is 'Personal data of customers, by the customerId of their orders; an erasure removes the row'`,
    );
    await runner.query(
      `comment on column profile.placed_by is 'The principal that made it; other customers do not see it'`,
    );
  }

  async down(): Promise<void> {
    throw new Error('migrations only go forward');
  }
}
