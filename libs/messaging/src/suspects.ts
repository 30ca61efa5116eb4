/**
 * Tries the messages of a batch that came back, each in a transaction of its own, and puts away those that fail for a
 * reason of their own.
 *
 * Before a suspect runs, the database is told so; when it has ended, however it ended, the mark goes. A mark that stays
 * was left by a process that ended with it. One such mark proves little: a process may be killed for any reason, and
 * several suspects run beside each other. So a message with a mark runs when no other suspect does, those with the
 * fewest marks first; if it leaves another one, and another one, it is put away without being run again. One that
 * survives a trial has no mark any more. Whatever else ended the process would have had to meet the same message each
 * time, in the moment in which it was tried.
 * docs/adr/0016 tells more.
 */
import { randomUUID } from 'node:crypto';
import type { Logger } from '@shop/observability';
import { RetryableError, withTimeout } from '@shop/resilience';
import { type Arrival, keyOf, letterOf, type NewDeadLetter } from './dead-letter';
import { closeDoneDeadLetters, countUpDeadLetters, findOpenAmongMessages } from './dead-letter.repository';
import type { DeadLetters } from './dead-letters';
import type { Message } from './message';
import { isOwnFault } from './own-fault';
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

/** Behind the deliveries in company; together they take some four seconds, longer than most races and hiccups. */
const MAX_FAILURES = 3;
/** The first may have been left beside other suspects; two more were left by nobody else. */
const MAX_DEATHS = 3;
/** What was tried often enough before (it has an open dead letter, or an operator hands it over again) gets one trial. */
const LAST_TRIAL = 1;
/** Longer than statements and outside calls may take. What does not end lets the others have their turn. */
const TRIAL_TIMEOUT_MS = 60_000;
/** Somebody else tries the same message; it is over soon. */
const LOOK_AGAIN_MS = 1_000;

export interface SuspectBatch extends Arrival {
  messages: Message[];
  /** An operator has handed it over. */
  replayed: boolean;
}

interface Suspect {
  message: Message;
  key: string;
  record: TrialRecord & { open?: { killed: boolean } };
  /** Failures and deaths that it may have before it is put away. */
  mayFail: number;
  mayDie: number;
}

type Verdict = 'keep-away' | 'put-away' | 'wait' | 'try-alone' | 'try';
type Run = (message: Message) => Promise<unknown>;

export class Suspects {
  private readonly turns = new Turns();
  private readonly underWay = new Set<string>();
  /** Marks that could not be removed when their trial ended: their process lives, so they mean nothing. */
  private readonly leftOver = new Set<string>();

  constructor(
    private readonly deadLetters: DeadLetters,
    private readonly log: Logger,
  ) {}

  /** Answers the failures for which the batch has to come again; none when each message is answered or put away. */
  async tryAll(batch: SuspectBatch, run: Run): Promise<unknown[]> {
    const suspects = await this.lookUp(batch);
    const having = (verdict: Verdict) => suspects.filter((suspect) => verdictOn(suspect, batch) === verdict);
    await this.countUp(batch, having('keep-away'));
    await this.putAway(batch, having('put-away'));
    const failures = having('wait').map(
      ({ key }): unknown => new RetryableError(`${key} is being tried elsewhere`, { retryAfterMs: LOOK_AGAIN_MS }),
    );
    const together = having('try');
    if (together.length > 0) {
      failures.push(...(await this.turns.runTogether(() => this.hear(batch, together, run))));
    }
    for (const suspect of having('try-alone').sort((a, b) => a.record.deaths - b.record.deaths)) {
      failures.push(...(await this.turns.runAlone(() => this.hear(batch, [suspect], run))));
    }
    return failures;
  }

  /** A sign of life for what is under way; to be called well within a mark's lease. */
  async renew(): Promise<void> {
    try {
      await this.sweep();
      if (this.underWay.size > 0) await renewTrials(this.deadLetters.database, [...this.underWay]);
    } catch (error) {
      this.log.warn({ reason: (error as Error).message }, 'messaging.trials.not_renewed');
    }
  }

  private async lookUp({ mailbox, messages, replayed }: SuspectBatch): Promise<Suspect[]> {
    const { database } = this.deadLetters;
    const keys = [...new Set(messages.map(keyOf))];
    await this.sweep();
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

  /** Runs these beside each other, and settles what came of it. */
  private async hear(batch: SuspectBatch, suspects: readonly Suspect[], run: Run): Promise<unknown[]> {
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
    const well: string[] = [];
    const failed: string[] = [];
    const again: string[] = [];
    const failures: unknown[] = [];
    const letters: NewDeadLetter[] = [];
    suspects.forEach(({ message, key, record, mayFail }, index) => {
      const result = done[index]!;
      if (result.status === 'fulfilled') return void well.push(key);
      const error: unknown = result.reason;
      if (isOwnFault(error) && record.failures + 1 >= mayFail) {
        return void letters.push(letterOf(message, error, false, batch));
      }
      if (isOwnFault(error)) failed.push(tokens[index]!);
      again.push(key);
      failures.push(error);
    });
    const ids = await this.deadLetters.database.transaction(async (tx) => {
      if (well.length > 0) {
        closeTrials(tx, batch.mailbox, well);
        closeDoneDeadLetters(tx, batch.mailbox, well);
      }
      if (failed.length > 0) failTrials(tx, failed);
      if (again.length > 0) clearMarks(tx, batch.mailbox, again);
      return this.deadLetters.write(tx, letters);
    });
    this.deadLetters.forget(batch.mailbox, well);
    this.deadLetters.announce(letters, ids);
    return failures;
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

  /** Before anybody judges by them. */
  private async sweep(): Promise<void> {
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

/** The last error of a message that was not run again. */
class ProcessEndedError extends Error {
  constructor(deaths: number) {
    const times = deaths === 1 ? 'once' : `${deaths} times`;
    super(`the process ended ${times} while this message was tried; it was not run again`);
    this.name = 'ProcessEndedError';
  }
}
