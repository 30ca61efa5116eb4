/** An adjustment's movement names its request, once: a natural key that stays when the ledger forgets the request. */
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class KeyAdjustments1760000021000 implements MigrationInterface {
  name = 'KeyAdjustments1760000021000';

  async up(runner: QueryRunner): Promise<void> {
    // The causes of sagas are ids and stand outside the index, so their movements pay nothing for it. Causes from before
    // were clients' keys, and no key has a space in it.
    await runner.query(
      `create unique index stock_movement_adjustment on stock_movement (cause) where cause like 'POST %'`,
    );
    await runner.query(
      `comment on column stock_movement.cause is 'The reservation it was sold from or returned to; PUT for a count; POST and the hash of the claim for an adjustment'`,
    );
  }

  async down(): Promise<void> {
    throw new Error('migrations only go forward');
  }
}
