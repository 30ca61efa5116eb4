/** What a pending row keeps so that anybody can resume it, and rows whose answer was erased. */
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class AddRecoveryPoints1760000000001 implements MigrationInterface {
  name = 'AddRecoveryPoints1760000000001';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      alter table ledger
        drop column recovery_point,
        add column work text check (length(work) between 1 and 100),
        add column input jsonb,
        add column recovery jsonb,
        add column attempt int check (attempt > 1),
        drop constraint ledger_status_check,
        drop constraint ledger_check,
        drop constraint ledger_check1,
        add constraint ledger_status_check check (status in ('pending', 'completed', 'erased')),
        add constraint ledger_answer_check check (
          status <> 'completed' or (answer_status is not null and answer_body is not null and expires_at is not null)),
        add constraint ledger_lease_check check ((status = 'pending') = (lease_token is not null)
          and (lease_token is null) = (leased_until is null)),
        add constraint ledger_answer_body_check check (octet_length(answer_body) <= 262144)`);
    await runner.query(`comment on column ledger.work is 'Name of leased work, by which a completer finds its code'`);
    await runner.query(`comment on column ledger.input is 'What leased work was given; forgotten when it is done'`);
    await runner.query(
      `comment on column ledger.recovery is 'Results of the steps of leased work that are done, by name; forgotten when it is done'`,
    );
    // The reaper walks the table instead: with several retentions the rows lie in no order of expiry.
    await runner.query('drop index ledger_expiry');
  }

  async down(): Promise<void> {
    throw new Error('migrations only go forward');
  }
}
