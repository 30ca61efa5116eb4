/** The table of the ledger: one row for each request or message. */
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CreateLedger1760000000000 implements MigrationInterface {
  name = 'CreateLedger1760000000000';

  async up(runner: QueryRunner): Promise<void> {
    // The ledger itself checks all other limits of a row (`bounds.ts`). docs/adr/0018 says why the table does not check
    // them again. The two checks stay: a claim that is neither leased nor answered would block its key for good.
    await runner.query(`
      create table ledger (
        scope text not null,
        key text not null,
        fingerprint bytea,
        status text not null,
        answer_status int,
        answer_headers jsonb,
        answer_body text,
        leased_by text,
        lease_token uuid,
        leased_until timestamptz,
        created_at timestamptz not null default now(),
        completed_at timestamptz,
        expires_at timestamptz,
        work text,
        input jsonb,
        recovery jsonb,
        attempt int,
        constraint ledger_pkey primary key (scope, key),
        constraint ledger_answer_check check (
          status <> 'completed' or (answer_status is not null and answer_body is not null and expires_at is not null)),
        constraint ledger_lease_check check ((status = 'pending') = (lease_token is not null)
          and (lease_token is null) = (leased_until is null))
      )`);
    await runner.query(`comment on table ledger is 'Claimed keys of requests and messages, and their stored answers'`);
    await runner.query(
      `comment on column ledger.fingerprint is 'Hash of what was asked; null for a tombstone, which an undo left for a do that had not come'`,
    );
    await runner.query(`comment on column ledger.work is 'Name of leased work, by which a completer finds its code'`);
    await runner.query(`comment on column ledger.input is 'What leased work was given; forgotten when it is done'`);
    await runner.query(
      `comment on column ledger.recovery is 'Results of the steps of leased work that are done, by name; forgotten when it is done'`,
    );
    // There is no index on expires_at. Rows with several retentions are not in the order of their expiry, so the reaper
    // walks the table.
    await runner.query(`create index ledger_pending on ledger (leased_until) where status = 'pending'`);
  }

  async down(): Promise<void> {
    throw new Error('migrations only go forward');
  }
}
