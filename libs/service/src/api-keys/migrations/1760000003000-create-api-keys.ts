/** The API keys that are made and revoked while the service runs. */
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CreateApiKeys1760000003000 implements MigrationInterface {
  name = 'CreateApiKeys1760000003000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table api_key (
        tenant text not null check (length(tenant) between 1 and 64),
        id text not null check (length(id) between 1 and 64),
        sha256 text not null check (sha256 ~ '^[0-9a-f]{64}$'),
        principal text not null check (length(principal) between 1 and 64),
        roles text[] not null check (cardinality(roles) between 1 and 10),
        expires_at timestamptz,
        created_at timestamptz not null default now(),
        created_by text not null check (length(created_by) <= 300),
        revoked_at timestamptz,
        revoked_by text check (length(revoked_by) <= 300),
        last_used_at timestamptz,
        constraint api_key_pkey primary key (tenant, id),
        constraint api_key_sha256_key unique (sha256),
        check ((revoked_at is null) = (revoked_by is null))
      )`);
    await runner.query(
      `comment on table api_key is 'Keys of callers, known by their hash; one that was revoked stays, so that it is never good again'`,
    );
    await runner.query(
      `comment on column api_key.last_used_at is 'Written in the background, so it may be half a minute too early'`,
    );
    await runner.query(`
      create table api_key_change (
        single boolean not null default true check (single),
        count bigint not null default 0,
        constraint api_key_change_pkey primary key (single)
      )`);
    await runner.query(
      `comment on table api_key_change is 'One row: how often keys were added or revoked. It is the lock for that, and tells replicas when to read the keys again'`,
    );
    await runner.query(`insert into api_key_change default values`);
  }

  async down(): Promise<void> {
    throw new Error('migrations only go forward');
  }
}
