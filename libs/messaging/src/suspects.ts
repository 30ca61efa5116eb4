/**
 * Tries the messages of a batch that came back again and again, each by itself, and puts away those that fail through
 * their own fault.
 *
 * Before a suspect runs, a mark for it is written into the database; when it has ended, in whatever way, the mark is
 * deleted. So a mark that stays was left by a process that ended during the trial. One mark proves little: a process
 * may be killed for any reason, and several suspects run at the same time. So a message with a mark runs while no
 * other suspect does, and those with the fewest marks run first. If it leaves a second and a third mark, it is put
 * away without being run again. A message that survives a trial loses its marks. For three marks by bad luck,
 * something else would have had to end the process three times, always during a trial of this message. See
 * docs/adr/0016.
 */
import { randomUUID } from 'node:crypto';
import type { Logger } from '@shop/observability';
import { RetryableError, withTimeout } from '@shop/resilience';
import { type Arrival, keyOf, letterOf, type NewDeadLetter } from './dead-letter';
import { closeDoneDeadLetters, countUpDeadLetters, findOpenAmongMessages } from './dead-letter.repository';
import type { DeadLetters } from './dead-letters';
import type { Message } from './message';
import { blameFor } from './own-fault';
import {
  beginTrials,
  clearMarks,
  closeTrials,
  failTrials,
  findTrialRecords,
  forgetTrials,
  renewTrials,
  type TrialRecord,
} from './trial.repository';
import { Turns } from './turns';

/**
 * After the first deliveries with the whole batch; together they take some four seconds, longer than most short
 * troubles.
 */
const MAX_FAILURES = 3;
/** The first mark may have been left while other suspects ran; the two after it were left while it ran alone. */
const MAX_DEATHS = 3;
/** A message that was tried often enough before (it has an open dead letter, or is replayed) gets one trial. */
const LAST_TRIAL = 1;
/**
 * Longer than statements and outside calls may take. After this time the message is given back, and the next ones
 * start.
 */
const TRIAL_TIMEOUT_MS = 60_000;
/** Other messages go through if one did so within this time. */
const GO_THROUGH_MS = 15_000;
/** Another replica tries the same message, and will have ended soon. */
const LOOK_AGAIN_MS = 1_000;

export interface SuspectBatch extends Arrival {
  messages: Message[];
  /** An operator has replayed it. */
  replayed: boolean;
}

interface Suspect {
  message: Message;
  key: string;
  record: TrialRecord & { open?: { killed: boolean } };
  /** It is put away at so many failures, or so many deaths. */
  mayFail: number;
  mayDie: number;
}

type Verdict = 'keep-away' | 'put-away' | 'wait' | 'try-alone' | 'try';
type Run = (message: Message) => Promise<unknown>;

export class Suspects {
  private readonly turns = new Turns();
  private readonly underWay = new Set<string>();
  /** Marks that could not be deleted when their trial ended: their process lives, so they mean nothing. */
  private readonly leftOver = new Set<string>();
  /** When a message of the mailbox was last done. */
  private readonly doneAt = new Map<string, number>();

  constructor(
    private readonly deadLetters: DeadLetters,
    private readonly log: Logger,
  ) {}

  /** A message of this mailbox was done. So what fails all the time is probably at fault itself. */
  noteSuccess(mailbox: string): void {
    this.doneAt.set(mailbox, performance.now());
  }

  /** Returns the failures for which the batch has to come again; none if each message was answered or put away. */
  async tryAll(batch: SuspectBatch, run: Run): Promise<unknown[]> {
    const suspects = await this.lookUp(batch);
    const suspectsWith = (verdict: Verdict) => suspects.filter((suspect) => verdictOn(suspect, batch) === verdict);
    await this.countUp(batch, suspectsWith('keep-away'));
    await this.putAway(batch, suspectsWith('put-away'));
    const failures = suspectsWith('wait').map(
      ({ key }): unknown => new RetryableError(`${key} is being tried elsewhere`, { retryAfterMs: LOOK_AGAIN_MS }),
    );
    const together = suspectsWith('try');
    if (together.length > 0) {
      failures.push(...(await this.turns.runTogether(() => this.runTrials(batch, together, run))));
    }
    for (const suspect of suspectsWith('try-alone').sort((a, b) => a.record.deaths - b.record.deaths)) {
      failures.push(...(await this.turns.runAlone(() => this.runTrials(batch, [suspect], run))));
    }
    return failures;
  }

  /** Renews the marks of the trials under way; call it well within the lease of a mark. */
  async renew(): Promise<void> {
    try {
      await this.deleteLeftOver();
      if (this.underWay.size > 0) await renewTrials(this.deadLetters.database, [...this.underWay]);
    } catch (error) {
      this.log.warn({ reason: (error as Error).message }, 'messaging.trials.not_renewed');
    }
  }

  private async lookUp({ mailbox, messages, replayed }: SuspectBatch): Promise<Suspect[]> {
    const { database } = this.deadLetters;
    const keys = [...new Set(messages.map(keyOf))];
    await this.deleteLeftOver();
    const [trials, open] = await Promise.all([
      findTrialRecords(database, mailbox, keys),
      findOpenAmongMessages(database, mailbox, keys),
    ]);
    return messages.map((message) => {
      const key = keyOf(message);
      const record = { ...(trials.get(key) ?? untried), open: open.get(key) };
      const mayFail = replayed || record.open ? LAST_TRIAL : MAX_FAILURES;
      return { message, key, record, mayFail, mayDie: replayed ? LAST_TRIAL : MAX_DEATHS };
    });
  }

  /** Runs these at the same time, and records the results. */
  private async runTrials(batch: SuspectBatch, suspects: readonly Suspect[], run: Run): Promise<unknown[]> {
    const trials = suspects.map(({ key }) => ({ token: randomUUID(), messageId: key }));
    const tokens = trials.map(({ token }) => token);
    try {
      for (const token of tokens) this.underWay.add(token);
      await beginTrials(this.deadLetters.database, batch.mailbox, trials);
      const done = await Promise.allSettled(
        suspects.map(({ message }) => withTimeout(run(message), TRIAL_TIMEOUT_MS, `the trial of ${message.id}`)),
      );
      return await this.settle(batch, suspects, tokens, done);
    } catch (error) {
      for (const token of tokens) this.leftOver.add(token);
      throw error;
    } finally {
      for (const token of tokens) this.underWay.delete(token);
    }
  }

  private async settle(
    batch: SuspectBatch,
    suspects: readonly Suspect[],
    tokens: readonly string[],
    done: readonly PromiseSettledResult<unknown>[],
  ): Promise<unknown[]> {
    if (done.some(({ status }) => status === 'fulfilled')) this.noteSuccess(batch.mailbox);
    const succeeded: string[] = [];
    const failed: string[] = [];
    const again: string[] = [];
    const failures: unknown[] = [];
    const letters: NewDeadLetter[] = [];
    suspects.forEach(({ message, key, record, mayFail }, index) => {
      const result = done[index]!;
      if (result.status === 'fulfilled') return void succeeded.push(key);
      const error: unknown = result.reason;
      const isOwn = this.isOwnFault(batch.mailbox, error);
      if (isOwn && record.failures + 1 >= mayFail) {
        return void letters.push(letterOf(message, error, false, batch));
      }
      if (isOwn) failed.push(tokens[index]!);
      again.push(key);
      failures.push(error);
    });
    const ids = await this.deadLetters.database.transaction(async (tx) => {
      if (succeeded.length > 0) {
        closeTrials(tx, batch.mailbox, succeeded);
        closeDoneDeadLetters(tx, batch.mailbox, succeeded);
      }
      if (failed.length > 0) failTrials(tx, failed);
      if (again.length > 0) clearMarks(tx, batch.mailbox, again);
      return this.deadLetters.write(tx, letters);
    });
    this.deadLetters.forget(batch.mailbox, succeeded);
    this.deadLetters.announce(letters, ids);
    return failures;
  }

  private isOwnFault(mailbox: string, error: unknown): boolean {
    const blame = blameFor(error);
    if (blame !== 'unsure') return blame === 'message';
    return performance.now() - (this.doneAt.get(mailbox) ?? -Infinity) < GO_THROUGH_MS;
  }

  private async countUp({ mailbox, deliveries }: SuspectBatch, suspects: readonly Suspect[]): Promise<void> {
    if (suspects.length === 0) return;
    const keys = suspects.map(({ key }) => key);
    await countUpDeadLetters(this.deadLetters.database, mailbox, keys, deliveries);
    this.log.warn({ mailbox, messageIds: keys }, 'messaging.dead_letter.kept_away');
  }

  private async putAway(batch: SuspectBatch, suspects: readonly Suspect[]): Promise<void> {
    for (const { message, record } of suspects) {
      const error = new ProcessEndedError(record.deaths);
      await this.deadLetters.putAway(letterOf(message, error, true, batch));
    }
  }

  /** Deletes the marks that mean nothing, before they are read. */
  private async deleteLeftOver(): Promise<void> {
    if (this.leftOver.size === 0) return;
    const tokens = [...this.leftOver];
    await forgetTrials(this.deadLetters.database, tokens);
    for (const token of tokens) this.leftOver.delete(token);
  }
}

const untried: TrialRecord = { failures: 0, deaths: 0, underWay: 0 };

function verdictOn({ record, mayDie }: Suspect, { replayed }: SuspectBatch): Verdict {
  if (record.open?.killed) return 'keep-away';
  if (record.deaths >= mayDie) return 'put-away';
  if (record.underWay > 0) return 'wait';
  return replayed || record.deaths > 0 ? 'try-alone' : 'try';
}

/** The last error of a message that is put away without being run again. */
class ProcessEndedError extends Error {
  constructor(deaths: number) {
    const times = deaths === 1 ? 'once' : `${deaths} times`;
    super(`the process ended ${times} while this message was tried; it was not run again`);
    this.name = 'ProcessEndedError';
  }
}
