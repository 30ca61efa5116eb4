/**
 * Pulls the JetStream messages of mailboxes, until it is closed. A consumer or a stream that the broker has lost is
 * created again.
 */
import type { ConsumerMessages, JsMsg } from '@nats-io/jetstream';
import type { Logger } from '@shop/observability';
import type { Broker } from './broker';
import { ensureConsumer } from './topology';

/** JetStream messages (each a batch) asked for ahead. */
const PULL_MESSAGES = 64;
const PULL_EXPIRES_MS = 5_000;
const RECOVER_WAIT_MS = 250;

interface Mailbox {
  name: string;
  /** Called before each attempt to pull; if it rejects, nothing is pulled now. */
  prepare: () => Promise<void>;
  take: (message: JsMsg) => void;
}

export class Pulling {
  private readonly pulls = new Set<ConsumerMessages>();
  /** The mailboxes that cannot be pulled from, and why. */
  private readonly failed = new Map<string, string>();
  private closed = false;
  private paused = false;
  private goOn: () => void = () => undefined;
  private goingOn: Promise<void> = Promise.resolve();

  constructor(
    private readonly broker: Broker,
    private readonly log: Logger,
  ) {}

  get isPaused(): boolean {
    return this.paused;
  }

  /** The mailboxes that should be pulled from and cannot, with the reason of each. Empty while it is paused. */
  get lost(): ReadonlyMap<string, string> {
    return this.paused ? new Map() : this.failed;
  }

  start(mailbox: Mailbox): void {
    this.failed.set(mailbox.name, 'not pulled from yet');
    void this.run(mailbox);
  }

  pause(): void {
    if (!this.paused) this.goingOn = new Promise((resolve) => (this.goOn = resolve));
    this.paused = true;
    for (const pull of this.pulls) pull.stop();
  }

  resume(): void {
    this.paused = false;
    this.goOn();
  }

  close(): void {
    this.closed = true;
    this.pause();
    this.goOn();
  }

  private async run(mailbox: Mailbox): Promise<void> {
    for (;;) {
      await this.goingOn;
      if (this.closed) return;
      await this.pull(mailbox).catch(({ message }: Error) => this.onLoss(mailbox.name, message));
      if (!this.closed) await new Promise((resolve) => setTimeout(resolve, RECOVER_WAIT_MS));
    }
  }

  private async pull({ name, prepare, take }: Mailbox): Promise<void> {
    await prepare();
    const { stream, durable } = await ensureConsumer(await this.broker.manager(), name);
    const consumer = await this.broker.jetstream().consumers.get(stream, durable);
    const pull = await consumer.consume({
      max_messages: PULL_MESSAGES,
      expires: PULL_EXPIRES_MS,
      abort_on_missing_resource: true,
    });
    this.pulls.add(pull);
    this.failed.delete(name);
    // If it was paused while the consumer was being created, nobody else stops this pull.
    if (this.paused) pull.stop();
    void this.stopWhenSilent(name, pull);
    try {
      for await (const message of pull) take(message);
    } finally {
      this.pulls.delete(pull);
    }
  }

  /** A stream that cannot work any more sends no heartbeats. The next attempt to pull finds out why. */
  private async stopWhenSilent(name: string, pull: ConsumerMessages): Promise<void> {
    for await (const { type } of pull.status()) {
      if (type !== 'heartbeats_missed') continue;
      this.onLoss(name, 'the stream does not answer');
      pull.stop();
    }
  }

  /** It is tried again several times a second, so only a new reason is worth a line. */
  private onLoss(mailbox: string, reason: string): void {
    const isNew = this.failed.get(mailbox) !== reason;
    this.failed.set(mailbox, reason);
    if (isNew && !this.closed) this.log.warn({ mailbox, reason }, 'messaging.consumer.lost');
  }
}
