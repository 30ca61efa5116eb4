/** Works on rows whose time has come, such as payments that wait. Every replica does so, each for other rows. */
import type { Logger } from '@shop/observability';
import { Repeating } from '@shop/resilience';
import type { PaymentKey } from './payments.repository';

export interface DueWorkOptions {
  /** Takes up to `limit` rows whose time has come, and sets their next time. */
  take: (limit: number) => Promise<PaymentKey[]>;
  /** Asks the provider about one of them. If it does not tell, the row is taken again at its next time. */
  settle: (key: PaymentKey) => Promise<unknown>;
  /** How often to look. */
  everyMs: number;
  logger: Logger;
  /** Log lines: the look has failed; one row is put off, with its id in this field. */
  lines: { failed: string; putOff: string; id: 'paymentId' | 'refundId' };
}

/** The most rows of one look. The others follow in the next one. */
const MAX_DUE = 100;

export class DueWork {
  private readonly looking: Repeating;

  constructor(private readonly options: DueWorkOptions) {
    const { everyMs, logger, lines } = options;
    this.looking = new Repeating(() => this.settleDue(), {
      everyMs,
      onFailure: (error) => logger.warn({ reason: (error as Error).message }, lines.failed),
    });
  }

  start(): void {
    this.looking.start();
  }

  stop(): Promise<void> {
    return this.looking.stop();
  }

  private async settleDue(): Promise<void> {
    const { take, settle, logger, lines } = this.options;
    const putOff = (id: string) => (error: Error) =>
      logger.warn({ [lines.id]: id, reason: error.message }, lines.putOff);
    await Promise.all((await take(MAX_DUE)).map((key) => settle(key).catch(putOff(key.id))));
  }
}
