/**
 * Writes dead letters, and remembers the open ones: whether a message has one is known without asking the database, so
 * that ordinary messages cost nothing here.
 */
import { counter, gauge, type Logger } from '@shop/observability';
import type { Database, Tx } from '@shop/postgres';
import { keyOf, type NewDeadLetter } from './dead-letter';
import { findOpenDeadLetters, putDeadLetter } from './dead-letter.repository';
import type { Message } from './message';
import { closeTrials, forgetOldTrials } from './trial.repository';

/** Dead letters that other replicas write are known here after this time. */
const LOOK_EVERY_MS = 5_000;
/** If there are more, the oldest are not remembered, and only noticed when they fail again. */
const MAX_REMEMBERED = 10_000;

const total = counter('dead_letters_total', 'Times that a message was given up on', ['mailbox']);
const open = gauge('dead_letters_open', 'Open dead letters of the service; each replica reports all of them', [
  'mailbox',
]);

export class DeadLetters {
  private remembered = new Set<string>();
  private readonly mailboxes = new Set<string>();
  private timer?: NodeJS.Timeout;
  private looking = false;
  private stopped = false;

  constructor(
    readonly database: Database,
    private readonly log: Logger,
  ) {}

  /**
   * Reads the open ones now, and again every few seconds. A process that a message has killed must know it before it
   * takes one.
   */
  async start(mailbox: string): Promise<void> {
    this.mailboxes.add(mailbox);
    await this.look();
    this.timer ??= setInterval(() => void this.lookAgain(), LOOK_EVERY_MS).unref();
  }

  stop(): void {
    this.stopped = true;
    clearInterval(this.timer);
  }

  /** Whether one of these messages had an open dead letter when this process last looked. */
  knowsAnyOf(mailbox: string, messages: readonly Message[]): boolean {
    return (
      this.remembered.size > 0 &&
      messages.some((message) => this.remembered.has(rememberedKeyOf(mailbox, keyOf(message))))
    );
  }

  /** Resolves when it is committed: from then on the broker may forget the message. */
  async putAway(letter: NewDeadLetter): Promise<void> {
    const ids = await this.database.transaction((tx) => this.write(tx, [letter]));
    this.announce([letter], ids);
  }

  /** Returns the ids of the rows. Call `announce` after the commit. */
  async write(tx: Tx, letters: readonly NewDeadLetter[]): Promise<string[]> {
    for (const { mailbox, messageId } of letters) closeTrials(tx, mailbox, [messageId]);
    return Promise.all(letters.map((letter) => putDeadLetter(tx, letter)));
  }

  announce(letters: readonly NewDeadLetter[], ids: readonly string[]): void {
    letters.forEach(({ mailbox, messageId, type, saga, deliveries, killed, lastError }, index) => {
      const key = rememberedKeyOf(mailbox, messageId);
      const line = { deadLetterId: ids[index], mailbox, messageId, type, sagaId: saga, deliveries, killed };
      // An error once, for a person to look at; its sender may send it many times more.
      if (this.remembered.has(key)) this.log.warn({ ...line, reason: lastError }, 'messaging.dead_letter.repeated');
      else this.log.error({ ...line, reason: lastError }, 'messaging.dead_letter');
      this.remembered.add(key);
      total.inc({ mailbox });
    });
  }

  forget(mailbox: string, messageIds: readonly string[]): void {
    for (const id of messageIds) this.remembered.delete(rememberedKeyOf(mailbox, id));
  }

  private async look(): Promise<void> {
    const letters = await findOpenDeadLetters(this.database, MAX_REMEMBERED);
    this.remembered = new Set(letters.map(({ mailbox, messageId }) => rememberedKeyOf(mailbox, messageId)));
    open.reset();
    // A mailbox without any reports 0, for those who watch the metric.
    for (const mailbox of this.mailboxes) open.set({ mailbox }, 0);
    for (const { mailbox } of letters) open.inc({ mailbox });
  }

  private async lookAgain(): Promise<void> {
    if (this.looking) return;
    this.looking = true;
    try {
      await this.look();
      await forgetOldTrials(this.database);
    } catch (error) {
      if (!this.stopped) this.log.warn({ reason: (error as Error).message }, 'messaging.dead_letters.unknown');
    } finally {
      this.looking = false;
    }
  }
}

const rememberedKeyOf = (mailbox: string, messageId: string): string => `${mailbox}\n${messageId}`;
