/** What the doors of the service have checked is not checked again by each statement on payments; docs/adr/0018 tells why. */
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class DropPaymentShapeChecks1760000030002 implements MigrationInterface {
  name = 'DropPaymentShapeChecks1760000030002';

  async up(runner: QueryRunner): Promise<void> {
    // The three that guard the money stay: nothing negative, and no more given back than was taken, and only of what was taken.
    await runner.query(`
      alter table payment
        drop constraint payment_currency_check,
        drop constraint payment_decline_reason_check,
        drop constraint payment_id_check,
        drop constraint payment_provider_reference_check,
        drop constraint payment_refund_reference_check,
        drop constraint payment_source_check,
        drop constraint payment_status_check,
        drop constraint payment_tenant_check,
        drop constraint payment_version_check`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      alter table payment
        add constraint payment_currency_check check (currency ~ '^[A-Z]{3}$'),
        add constraint payment_decline_reason_check check (length(decline_reason) <= 200),
        add constraint payment_id_check check (id like 'pmt\\_%' and length(id) <= 64),
        add constraint payment_provider_reference_check check (length(provider_reference) <= 200),
        add constraint payment_refund_reference_check check (length(refund_reference) <= 200),
        add constraint payment_source_check check (length(source) <= 200),
        add constraint payment_status_check check (status in ('pending', 'succeeded', 'declined')),
        add constraint payment_tenant_check check (length(tenant) between 1 and 64),
        add constraint payment_version_check check (version > 0)`);
  }
}
