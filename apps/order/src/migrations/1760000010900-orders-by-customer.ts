/** Operators look for the orders of a customer. */
import type { MigrationInterface, QueryRunner } from 'typeorm';

export class OrdersByCustomer1760000010900 implements MigrationInterface {
  name = 'OrdersByCustomer1760000010900';

  async up(runner: QueryRunner): Promise<void> {
    // A summary of the customers in each stretch of the table. An order writes nothing to it: vacuum makes the summary of a
    // stretch when it is full. A stretch that has none yet is read.
    await runner.query(`
      create index orders_of_customer on orders
        using brin (customer_id text_bloom_ops (n_distinct_per_range = 1000, false_positive_rate = 0.005))
        with (pages_per_range = 32, autosummarize = on)`);
  }

  async down(): Promise<void> {
    throw new Error('migrations only go forward');
  }
}
