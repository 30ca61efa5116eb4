/** What the door of the service has checked is not checked again by each statement on orders; docs/adr/0018 tells why. */
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class DropOrdersShapeChecks1760000012000 implements MigrationInterface {
  name = 'DropOrdersShapeChecks1760000012000';

  async up(runner: QueryRunner): Promise<void> {
    // orders_total_amount_check stays: it is money.
    await runner.query(`
      alter table orders
        drop constraint orders_customer_id_check,
        drop constraint orders_reason_check,
        drop constraint orders_request_hash_check,
        drop constraint orders_status_check,
        drop constraint orders_tenant_check,
        drop constraint orders_total_currency_check,
        drop constraint orders_version_check`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      alter table orders
        add constraint orders_customer_id_check check (length(customer_id) between 1 and 100),
        add constraint orders_reason_check check (length(reason) <= 100),
        add constraint orders_request_hash_check check (octet_length(request_hash) = 32),
        add constraint orders_status_check check (status in ('pending', 'confirmed', 'cancelling', 'cancelled')),
        add constraint orders_tenant_check check (length(tenant) between 1 and 64),
        add constraint orders_total_currency_check check (total_currency ~ '^[A-Z]{3}$'),
        add constraint orders_version_check check (version > 0)`);
  }
}
