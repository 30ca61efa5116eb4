/** The ledger: one row per request or message, ever. */
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CreateLedger1760000000000 implements MigrationInterface {
  name = 'CreateLedger1760000000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table ledger (
        scope text not null check (length(scope) between 1 and 400),
        key text not null check (length(key) between 1 and 255),
        fingerprint bytea check (octet_length(fingerprint) = 32),
        status text not null check (status in ('pending', 'completed')),
        answer_status int check (answer_status between 200 and 599),
        answer_headers jsonb,
        answer_body text,
        leased_by text check (length(leased_by) <= 200),
        lease_token uuid,
        leased_until timestamptz,
        recovery_point text check (length(recovery_point) <= 100),
        created_at timestamptz not null default now(),
        completed_at timestamptz,
        expires_at timestamptz,
        constraint ledger_pkey primary key (scope, key),
        check (status = 'pending' or (answer_status is not null and answer_body is not null and expires_at is not null)),
        check (status = 'completed' or (lease_token is not null and leased_until is not null))
      )`);
    await runner.query(`comment on table ledger is 'Claimed keys of requests and messages, and their stored answers'`);
    await runner.query(
      `comment on column ledger.fingerprint is 'Hash of what was asked; null for a tombstone, which an undo left for a do that had not come'`,
    );
    await runner.query(`create index ledger_pending on ledger (leased_until) where status = 'pending'`);
    // Rows are written in the order of their expiry, near enough, so a block range index is all that the reaper needs.
    await runner.query(`create index ledger_expiry on ledger using brin (expires_at)`);
  }

  async down(): Promise<void> {
    throw new Error('migrations only go forward');
  }
}
