/** A charge is named before it is made, may wait for its customer or a bank, and may be undone meanwhile. */
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class WaitForPayments1760000030200 implements MigrationInterface {
  name = 'WaitForPayments1760000030200';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      alter table payment
        add column charge_id text,
        add column waits_for text check (waits_for in ('customer', 'provider')),
        add column next_action_url text check (length(next_action_url) <= 2000),
        add column expires_at timestamptz,
        add column check_at timestamptz,
        add column undone boolean not null default false,
        -- A payment that waits needs no token any more.
        drop constraint payment_pending_has_source`);
    await runner.query(`create index payment_check_at on payment (check_at) where check_at is not null`);
    await runner.query(`comment on column payment.charge_id is 'The command that charges it'`);
    await runner.query(
      `comment on column payment.waits_for is 'Who has to do something before the outcome of a pending payment is known'`,
    );
    await runner.query(`comment on column payment.check_at is 'When the provider is asked what became of it'`);
    await runner.query(
      `comment on column payment.undone is 'Nobody wants its money any more; what lands after that is given back'`,
    );
    await runner.query(
      `comment on column payment.provider_reference is 'The name of its intent at the provider. Without one, no money can have moved'`,
    );
  }

  async down(): Promise<void> {
    throw new Error('migrations only go forward');
  }
}
