/** Places one synthetic order after the other, and tells metrics and log what became of each. */
import type { OnApplicationBootstrap, OnApplicationShutdown } from '@nestjs/common';
import { counter, gauge, type Logger } from '@shop/observability';
import { Repeating } from '@shop/resilience';
import { type Outcome, placeSyntheticOrder, type SyntheticOrderOptions } from './synthetic-order';

export interface SyntheticJobOptions extends SyntheticOrderOptions {
  intervalMs: number;
  logger: Logger;
}

const failures = counter('synthetic_order_failures_total', 'Synthetic orders that failed, by how far they came', [
  'stage',
]);

export class SyntheticJob implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly stopping = new AbortController();
  private readonly repeating: Repeating;

  constructor(private readonly options: SyntheticJobOptions) {
    this.repeating = new Repeating(() => this.run(), {
      everyMs: options.intervalMs,
      onFailure: (error) => options.logger.error({ reason: (error as Error).message }, 'synthetic.broken'),
    });
  }

  onApplicationBootstrap(): void {
    this.repeating.start();
  }

  async onApplicationShutdown(): Promise<void> {
    this.stopping.abort();
    await this.repeating.stop();
  }

  /** Places one. One that the stop of this process has ended tells nothing about the shop. */
  async run(): Promise<Outcome> {
    const began = performance.now();
    const outcome = await placeSyntheticOrder({ ...this.options, stopping: this.stopping.signal });
    if (!this.stopping.signal.aborted) this.tell(outcome, (performance.now() - began) / 1_000);
    return outcome;
  }

  private tell(outcome: Outcome, seconds: number): void {
    // Not made before there is something to say: a 0 from the start would be an alarm at each start.
    gauge('synthetic_order_success', 'Whether the last synthetic order was placed, cancelled and refunded').set(
      Number(outcome.ok),
    );
    gauge('synthetic_order_duration_seconds', 'How long the last synthetic order took').set(seconds);
    gauge('synthetic_order_last_run_timestamp_seconds', 'When the last synthetic order ended').setToCurrentTime();
    const facts = { orderId: outcome.orderId, durationMs: Math.round(seconds * 1_000) };
    const { logger } = this.options;
    if (outcome.ok) return logger.info(facts, 'synthetic.order.good');
    failures.inc({ stage: outcome.stage });
    logger.error({ ...facts, stage: outcome.stage, reason: outcome.why }, 'synthetic.order.failed');
  }
}
