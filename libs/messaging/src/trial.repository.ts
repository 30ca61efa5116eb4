/** The table of trials: what came of the trials of a suspect message, over all replicas and restarts. */
import type { Database, Statement, Tx } from '@shop/postgres';

/** What is known of a suspect message. */
export interface TrialRecord {
  /** Trials that failed through the message's own fault. */
  failures: number;
  /** Trials whose process ended during the trial. */
  deaths: number;
  /** Trials that are running at this moment. */
  underWay: number;
}

/**
 * How long a mark is valid if its process does not renew it. Shorter than the ack wait: when a message comes back, the
 * lease on the mark of a process that has ended is over.
 */
const LEASE_MS = 8_000;
/** The broker keeps a message for a day; its trials are not needed for longer. */
const KEEP_HOURS = 25;

const findTrials: Statement = {
  name: 'delivery-trial.find',
  text: `
    select message_id as "messageId",
           count(*) filter (where failed) as failures,
           count(*) filter (where not failed and leased_until <= now()) as deaths,
           count(*) filter (where not failed and leased_until > now()) as "underWay"
    from delivery_trial
    where mailbox = $1 and message_id = any($2::text[])
    group by message_id`,
};

/** By message; one that was never tried has no record. */
export async function findTrialRecords(
  database: Database,
  mailbox: string,
  messageIds: readonly string[],
): Promise<Map<string, TrialRecord>> {
  const rows = await database.query<TrialRecord & { messageId: string }>(findTrials, [mailbox, messageIds]);
  return new Map(rows.map(({ messageId, ...record }) => [messageId, record]));
}

export interface Trial {
  token: string;
  messageId: string;
}

const insertTrials: Statement = {
  name: 'delivery-trial.insert',
  text: `
    insert into delivery_trial (token, mailbox, message_id, leased_until)
    select token, $1, message_id, now() + $2 * interval '1 millisecond'
    from unnest($3::uuid[], $4::text[]) as t (token, message_id)`,
};

/** Writes the marks before anything runs, so that they stay if the process ends. */
export async function beginTrials(database: Database, mailbox: string, trials: readonly Trial[]): Promise<void> {
  const [tokens, ids] = [trials.map(({ token }) => token), trials.map(({ messageId }) => messageId)];
  await database.query(insertTrials, [mailbox, LEASE_MS, tokens, ids]);
}

const renew: Statement = {
  name: 'delivery-trial.renew',
  text: `update delivery_trial set leased_until = now() + $2 * interval '1 millisecond' where token = any($1::uuid[])`,
};

export async function renewTrials(database: Database, tokens: readonly string[]): Promise<void> {
  await database.query(renew, [tokens, LEASE_MS]);
}

const deleteTokens: Statement = {
  name: 'delivery-trial.delete-tokens',
  text: `delete from delivery_trial where token = any($1::uuid[])`,
};

/** Deletes these trials, as if they had never been. */
export async function forgetTrials(database: Database, tokens: readonly string[]): Promise<void> {
  await database.query(deleteTokens, [tokens]);
}

const deleteMarks: Statement = {
  name: 'delivery-trial.delete-marks',
  text: `delete from delivery_trial where mailbox = $1 and message_id = any($2::text[]) and not failed`,
};

/** For messages that have just survived a trial: deletes this mark, and those that they left before. */
export function clearMarks(tx: Tx, mailbox: string, messageIds: readonly string[]): void {
  tx.send(deleteMarks, [mailbox, messageIds]);
}

const markFailed: Statement = {
  name: 'delivery-trial.mark-failed',
  text: `update delivery_trial set failed = true where token = any($1::uuid[])`,
};

export function failTrials(tx: Tx, tokens: readonly string[]): void {
  tx.send(markFailed, [tokens]);
}

const deleteMessages: Statement = {
  name: 'delivery-trial.delete-messages',
  text: `delete from delivery_trial where mailbox = $1 and message_id = any($2::text[])`,
};

/** For messages that succeeded or were put away: if they ever come back, counting starts again. */
export function closeTrials(tx: Tx, mailbox: string, messageIds: readonly string[]): void {
  tx.send(deleteMessages, [mailbox, messageIds]);
}

const deleteOld: Statement = {
  name: 'delivery-trial.delete-old',
  text: `delete from delivery_trial where started_at < now() - $1 * interval '1 hour'`,
};

/** Deletes the trials of messages that the broker has dropped. */
export async function forgetOldTrials(database: Database): Promise<void> {
  await database.query(deleteOld, [KEEP_HOURS]);
}
