/**
 * How much waits in the mailboxes of this service, as the broker counts it. Asked for in the background, so that it
 * costs nothing when many ask for it.
 */
import { gauge, type Logger } from '@shop/observability';
import { Repeating, withTimeout } from '@shop/resilience';
import type { Broker } from './broker';
import { consumerOf } from './topology';

const LOOK_EVERY_MS = 5_000;
const ANSWER_WITHIN_MS = 3_000;
/** An answer that is older says nothing about now. */
const FRESH_MS = 30_000;
/** JetStream messages, each with a batch. This many are more than a replica takes at once. */
const MUCH_PENDING = 5_000;

const HELP = 'each replica reports those of all replicas';
const pending = gauge('messaging_pending', `Batches that wait in a mailbox; ${HELP}`, ['mailbox']);
const inWork = gauge('messaging_ack_pending', `Batches that are delivered and not acknowledged; ${HELP}`, ['mailbox']);
const again = gauge('messaging_redelivered', `Batches in work that were delivered before; ${HELP}`, ['mailbox']);

export class ConsumerLag {
  private readonly looking: Repeating;
  private readonly waiting = new Map<string, { batches: number; at: number }>();

  /** @param mailboxes those that it pulls from at the moment */
  constructor(
    private readonly broker: Broker,
    private readonly mailboxes: () => readonly string[],
    private readonly logger: Logger,
  ) {
    this.looking = new Repeating(() => this.look(), {
      everyMs: LOOK_EVERY_MS,
      onFailure: (error) => this.logger.debug({ reason: (error as Error).message }, 'messaging.lag.unknown'),
    });
  }

  start(): void {
    this.looking.start();
  }

  stop(): Promise<void> {
    return this.looking.stop();
  }

  /** What is far behind, in a few words; nothing when all is well or unknown. */
  get trouble(): string | undefined {
    const now = performance.now();
    const behind = [...this.waiting].filter(([, { batches, at }]) => batches >= MUCH_PENDING && now - at < FRESH_MS);
    return behind.length > 0
      ? behind.map(([mailbox, { batches }]) => `${mailbox}: ${batches} batches wait`).join('; ')
      : undefined;
  }

  private async look(): Promise<void> {
    // The broker cannot be asked, and the check of the broker says so.
    if (!this.broker.isConnected) return;
    const manager = await this.broker.manager();
    const looks = this.mailboxes().map(async (mailbox) => {
      const { stream, durable } = consumerOf(mailbox);
      const info = await withTimeout(manager.consumers.info(stream, durable), ANSWER_WITHIN_MS, 'the broker');
      pending.set({ mailbox }, info.num_pending);
      inWork.set({ mailbox }, info.num_ack_pending);
      again.set({ mailbox }, info.num_redelivered);
      this.waiting.set(mailbox, { batches: info.num_pending, at: performance.now() });
    });
    await Promise.all(looks);
  }
}
