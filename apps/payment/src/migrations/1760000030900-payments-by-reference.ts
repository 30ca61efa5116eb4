/** Operators look for a payment by what the provider calls it. */
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class PaymentsByReference1760000030900 implements MigrationInterface {
  name = 'PaymentsByReference1760000030900';

  async up(runner: QueryRunner): Promise<void> {
    // A summary of the references in each stretch of the table. A charge writes nothing to it, and stays on its page: vacuum
    // makes the summary of a stretch when it is full. A stretch that has none yet is read.
    await runner.query(`
      create index payment_of_provider on payment
        using brin (provider_reference text_bloom_ops (n_distinct_per_range = 1000, false_positive_rate = 0.005))
        with (pages_per_range = 32, autosummarize = on)`);
  }

  async down(): Promise<void> {
    throw new Error('migrations only go forward');
  }
}
