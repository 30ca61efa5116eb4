/** What a row may hold is asked by the ledger itself (`bounds.ts`); docs/adr/0018 tells why the table does not ask again. */
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class DropLedgerShapeChecks1760000000002 implements MigrationInterface {
  name = 'DropLedgerShapeChecks1760000000002';

  async up(runner: QueryRunner): Promise<void> {
    // ledger_lease_check and ledger_answer_check stay: a claim that is neither leased nor answered would block its key for good.
    await runner.query(`
      alter table ledger
        drop constraint ledger_answer_body_check,
        drop constraint ledger_answer_status_check,
        drop constraint ledger_attempt_check,
        drop constraint ledger_fingerprint_check,
        drop constraint ledger_key_check,
        drop constraint ledger_leased_by_check,
        drop constraint ledger_scope_check,
        drop constraint ledger_status_check,
        drop constraint ledger_work_check`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      alter table ledger
        add constraint ledger_answer_body_check check (octet_length(answer_body) <= 262144),
        add constraint ledger_answer_status_check check (answer_status between 200 and 599),
        add constraint ledger_attempt_check check (attempt > 1),
        add constraint ledger_fingerprint_check check (octet_length(fingerprint) = 32),
        add constraint ledger_key_check check (length(key) between 1 and 255),
        add constraint ledger_leased_by_check check (length(leased_by) <= 200),
        add constraint ledger_scope_check check (length(scope) between 1 and 400),
        add constraint ledger_status_check check (status in ('pending', 'completed', 'erased')),
        add constraint ledger_work_check check (length(work) between 1 and 100)`);
  }
}
