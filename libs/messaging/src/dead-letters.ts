/**
 * Puts messages away for good, and remembers which ones are: what has an open dead letter is known without asking the
 * database, so that messages in good company cost nothing here.
 */
import { counter, gauge, type Logger } from '@shop/observability';
import type { Database, Tx } from '@shop/postgres';
import { keyOf, type NewDeadLetter } from './dead-letter';
import { findOpenDeadLetters, putDeadLetter } from './dead-letter.repository';
import type { Message } from './message';
import { closeTrials, forgetOldTrials } from './trial.repository';

/** What other replicas put away is known here this much later. */
const LOOK_EVERY_MS = 5_000;
/** The oldest above it are only found out when they fail again. */
const MAX_REMEMBERED = 10_000;

const total = counter('dead_letters_total', 'Times that a message was given up on', ['mailbox']);
const open = gauge('dead_letters_open', 'Dead letters that nobody has looked after; each replica tells of all', [
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

  /** Looks, and goes on looking; a process that was killed by a message must know of it before it takes another one. */
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
    return this.remembered.size > 0 && messages.some((message) => this.remembered.has(nameOf(mailbox, keyOf(message))));
  }

  /** Resolves when it is committed: from then on the broker may forget the message. */
  async putAway(letter: NewDeadLetter): Promise<void> {
    const ids = await this.database.transaction((tx) => this.write(tx, [letter]));
    this.announce([letter], ids);
  }

  /** Answers the ids of the rows. To be announced after the commit. */
  async write(tx: Tx, letters: readonly NewDeadLetter[]): Promise<string[]> {
    for (const { mailbox, messageId } of letters) closeTrials(tx, mailbox, [messageId]);
    return Promise.all(letters.map((letter) => putDeadLetter(tx, letter)));
  }

  announce(letters: readonly NewDeadLetter[], ids: readonly string[]): void {
    letters.forEach(({ mailbox, messageId, type, saga, deliveries, killed, lastError }, index) => {
      const name = nameOf(mailbox, messageId);
      const line = { deadLetterId: ids[index], mailbox, messageId, type, sagaId: saga, deliveries, killed };
      // A person has to look once; its sender may send it many times more.
      if (this.remembered.has(name)) this.log.warn({ ...line, reason: lastError }, 'messaging.dead_letter.repeated');
      else this.log.error({ ...line, reason: lastError }, 'messaging.dead_letter');
      this.remembered.add(name);
      total.inc({ mailbox });
    });
  }

  forget(mailbox: string, messageIds: readonly string[]): void {
    for (const id of messageIds) this.remembered.delete(nameOf(mailbox, id));
  }

  private async look(): Promise<void> {
    const letters = await findOpenDeadLetters(this.database, MAX_REMEMBERED);
    this.remembered = new Set(letters.map(({ mailbox, messageId }) => nameOf(mailbox, messageId)));
    open.reset();
    // A mailbox with none says so, for those who watch it.
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

const nameOf = (mailbox: string, messageId: string): string => `${mailbox}\n${messageId}`;
