/** An order tells since when it is confirmed, when it arrived, and why it could not be cancelled any more. */
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class Deliveries1760000010800 implements MigrationInterface {
  name = 'Deliveries1760000010800';

  async up(runner: QueryRunner): Promise<void> {
    // Columns without a default: no row is written, however many there are.
    await runner.query(`
      alter table orders
        add column confirmed_at timestamptz,
        add column delivered_at timestamptz,
        add column cancellation_refused text`);
    await runner.query(
      `comment on column orders.confirmed_at is 'Of orders from before this column, the backfill orders-confirmed-at writes it'`,
    );
    await runner.query(
      `comment on column orders.delivered_at is 'When this service heard that the customer has it; no cancellation begins any more'`,
    );
    await runner.query(
      `comment on column orders.cancellation_refused is 'Why the saga that should cancel the confirmed order turned back; the order stays confirmed'`,
    );
  }

  async down(): Promise<void> {
    throw new Error('migrations only go forward');
  }
}
