/**
 * The JetStream messages that this process has taken, until they are acknowledged or given back.
 *
 * The broker delivers a message again when it hears nothing of it for the ack wait. Work that takes longer says so from
 * time to time, but only while it moves: a replica whose work hangs must not keep messages from the other replicas.
 */
import type { JsMsg } from '@nats-io/jetstream';
import { gauge, type Logger } from '@shop/observability';

/** Longer than a healthy batch takes, with outside calls that wait for their turn. */
const MOVES_WITHIN_MS = 120_000;

const inFlight = gauge('messaging_messages_in_flight', 'JetStream messages taken and not yet acknowledged');

interface Held {
  mailbox: string;
  /** When some of its work was last done. */
  movedAt: number;
  givenBack: boolean;
}

export class InHand {
  private readonly held = new Map<JsMsg, Held>();

  constructor(private readonly log: Logger) {}

  get size(): number {
    return this.held.size;
  }

  take(mailbox: string, message: JsMsg): void {
    this.held.set(message, { mailbox, movedAt: performance.now(), givenBack: false });
    inFlight.inc();
  }

  /** Some of its work was done. */
  moved(message: JsMsg): void {
    const held = this.held.get(message);
    if (held) held.movedAt = performance.now();
  }

  letGo(message: JsMsg): void {
    if (this.held.delete(message)) inFlight.dec();
  }

  /** Keeps those whose work moves. The broker takes the others back after the ack wait. */
  prolong(): void {
    for (const [message, held] of this.held) {
      if (held.givenBack) continue;
      if (performance.now() - held.movedAt < MOVES_WITHIN_MS) message.working();
      else this.leave(message, held);
    }
  }

  /** Gives all of them back, so that other replicas take them. What is in work goes on; its acknowledgement is void. */
  giveBack(delayMs: number): number {
    const mine = [...this.held].filter(([, { givenBack }]) => !givenBack);
    for (const [message, held] of mine) {
      held.givenBack = true;
      message.nak(delayMs);
    }
    return mine.length;
  }

  private leave({ seq }: JsMsg, held: Held): void {
    held.givenBack = true;
    this.log.warn({ mailbox: held.mailbox, sequence: seq }, 'messaging.work.hangs');
  }
}
