/** The table of trials: what a suspect message has cost so far, across replicas and restarts. */
import type { Database, Statement, Tx } from '@shop/postgres';

/** What is known of a suspect message. */
export interface TrialRecord {
  /** Trials that failed for a reason of the message's own. */
  failures: number;
  /** Trials that nobody ended: their process has gone. */
  deaths: number;
  /** Trials that somebody is on at this moment. */
  underWay: number;
}

/**
 * How long a mark lasts without a sign of life from its process. Shorter than the ack wait: when a message comes back,
 * the mark of the process that died with it has run out.
 */
const LEASE_MS = 8_000;
/** The broker keeps a message for a day; nobody asks for its trials later. */
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

/** By message; one that was never tried has none. */
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

/** Writes down who is tried before anything runs, so that a process which ends leaves its mark. */
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

/** As if these trials had never been. */
export async function forgetTrials(database: Database, tokens: readonly string[]): Promise<void> {
  await database.query(deleteTokens, [tokens]);
}

const deleteMarks: Statement = {
  name: 'delivery-trial.delete-marks',
  text: `delete from delivery_trial where mailbox = $1 and message_id = any($2::text[]) and not failed`,
};

/** Of messages that have just survived a trial: the marks that they left before, and this one. */
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

/** What is done, or put away, begins anew if it ever comes back. */
export function closeTrials(tx: Tx, mailbox: string, messageIds: readonly string[]): void {
  tx.send(deleteMessages, [mailbox, messageIds]);
}

const deleteOld: Statement = {
  name: 'delivery-trial.delete-old',
  text: `delete from delivery_trial where started_at < now() - $1 * interval '1 hour'`,
};

/** Of messages that the broker has dropped. */
export async function forgetOldTrials(database: Database): Promise<void> {
  await database.query(deleteOld, [KEEP_HOURS]);
}
