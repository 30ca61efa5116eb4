/** What the doors of the service have checked is not checked again by each statement on stock; docs/adr/0018 tells why. */
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class DropStockShapeChecks1760000022000 implements MigrationInterface {
  name = 'DropStockShapeChecks1760000022000';

  async up(runner: QueryRunner): Promise<void> {
    // The three that guard the pieces stay: on_hand and reserved are not negative, and no more is reserved than is on hand.
    await runner.query(`
      alter table stock
        drop constraint stock_sku_check,
        drop constraint stock_tenant_check,
        drop constraint stock_version_check`);
    await runner.query(`
      alter table stock_movement
        drop constraint stock_movement_cause_check,
        drop constraint stock_movement_delta_check,
        drop constraint stock_movement_reason_check`);
    await runner.query(`alter table reservation drop constraint reservation_status_check`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      alter table stock
        add constraint stock_sku_check check (length(sku) between 1 and 64),
        add constraint stock_tenant_check check (length(tenant) between 1 and 64),
        add constraint stock_version_check check (version > 0)`);
    await runner.query(`
      alter table stock_movement
        add constraint stock_movement_cause_check check (length(cause) between 1 and 255),
        add constraint stock_movement_delta_check check (delta <> 0),
        add constraint stock_movement_reason_check check (length(reason) between 1 and 100)`);
    await runner.query(
      `alter table reservation add constraint reservation_status_check check (status in ('open', 'confirmed', 'released', 'restocked'))`,
    );
  }
}
