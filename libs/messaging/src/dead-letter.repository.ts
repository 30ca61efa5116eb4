/** The table of dead letters: one row for a message, however often it is given up on. */
import { type Database, databaseTime, type Statement, type Tx } from '@shop/postgres';
import { Equal, IsNull, LessThan, Or, type Repository } from 'typeorm';
import { v7 as uuidv7 } from 'uuid';
import type { Act, DeadLetter, DeadLetterState, NewDeadLetter } from './dead-letter';
import type { DeadLetterEntity } from './dead-letter.entity';

/** More acts than anybody reads; the oldest ones are dropped. */
const MAX_ACTS = 100;

const columns = `
  id, mailbox, message_id as "messageId", type, saga, tenant, readable, deliveries, killed, last_error as "lastError",
  state, size, size > octet_length(content) as cut, acts, first_seen_at as "firstSeenAt", last_seen_at as "lastSeenAt"`;

const put: Statement = {
  name: 'dead-letter.put',
  text: `
    insert into dead_letter (id, mailbox, message_id, type, saga, tenant, readable, content, size, deliveries, killed,
                             last_error, state, first_seen_at)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 'open', least($13::timestamptz, now()))
    on conflict (mailbox, message_id) do update
    set state = 'open', type = excluded.type, saga = excluded.saga, tenant = excluded.tenant,
        readable = excluded.readable, content = excluded.content, size = excluded.size, killed = excluded.killed,
        deliveries = dead_letter.deliveries + excluded.deliveries, last_error = excluded.last_error, last_seen_at = now()
    returning id`,
};

let made = 0;
/** Lists are in the order of the ids, so an id has the time of the database; within a millisecond, it counts. */
const newId = (at: Date): string => uuidv7({ msecs: at.getTime(), seq: made++ });

/** Opens it, or opens it again and adds its deliveries. Returns its id. */
export async function putDeadLetter(tx: Tx, letter: NewDeadLetter): Promise<string> {
  const { mailbox, messageId, type, saga, tenant, readable, content, size, deliveries, killed, lastError } = letter;
  const [row] = await tx.query<{ id: string }>(put, [
    newId(await databaseTime(tx)),
    mailbox,
    messageId,
    type,
    saga,
    tenant,
    readable,
    content,
    size,
    deliveries,
    killed,
    lastError,
    letter.firstSeenAt,
  ]);
  return row!.id;
}

const countUp: Statement = {
  name: 'dead-letter.count-up',
  text: `
    update dead_letter set deliveries = deliveries + $3, last_seen_at = now()
    where mailbox = $1 and message_id = any($2::text[]) and state = 'open'`,
};

/** For messages that came again and were not run. */
export async function countUpDeadLetters(
  database: Database,
  mailbox: string,
  messageIds: readonly string[],
  deliveries: number,
): Promise<void> {
  await database.query(countUp, [mailbox, messageIds, deliveries]);
}

/** The acts with this one added at the end, and without the oldest if there are too many. */
const withAct = (act: string) => `jsonb_path_query_array(acts || ${act}, '$[last - ${MAX_ACTS - 1} to last]')`;
const actOf = (act: string, by: string, reason: string) =>
  `jsonb_build_object('act', ${act}, 'by', ${by}, 'reason', ${reason}, 'at', now())`;

const closeDone: Statement = {
  name: 'dead-letter.close-done',
  text: `
    update dead_letter
    set state = 'replayed', acts = ${withAct(actOf(`'replayed'`, `'its sender'`, `'it was sent again, and was done'`))}
    where mailbox = $1 and message_id = any($2::text[]) and state = 'open'`,
};

/** For messages that succeeded after all, because their sender sent them again. */
export function closeDoneDeadLetters(tx: Tx, mailbox: string, messageIds: readonly string[]): void {
  tx.send(closeDone, [mailbox, messageIds]);
}

const findOpen: Statement = {
  name: 'dead-letter.find-open',
  text: `
    select mailbox, message_id as "messageId" from dead_letter where state = 'open' order by id desc limit $1`,
};

/** The newest open ones. */
export function findOpenDeadLetters(
  database: Database,
  limit: number,
): Promise<{ mailbox: string; messageId: string }[]> {
  return database.query(findOpen, [limit]);
}

const findOpenAmong: Statement = {
  name: 'dead-letter.find-open-among',
  text: `
    select message_id as "messageId", killed from dead_letter
    where mailbox = $1 and message_id = any($2::text[]) and state = 'open'`,
};

/** Those of these messages that have an open dead letter, and whether they ended the process. */
export async function findOpenAmongMessages(
  database: Database,
  mailbox: string,
  messageIds: readonly string[],
): Promise<Map<string, { killed: boolean }>> {
  const rows = await database.query<{ messageId: string; killed: boolean }>(findOpenAmong, [mailbox, messageIds]);
  return new Map(rows.map(({ messageId, killed }) => [messageId, { killed }]));
}

/** Whose dead letters somebody may see. Those without a tenant may have something of any tenant in them. */
export interface Reach {
  tenant: string;
  unowned: boolean;
}

/** Newest first; up to `limit` behind the id `before`. */
export function listDeadLetters(
  letters: Repository<DeadLetterEntity>,
  { reach, state, before, limit }: { reach: Reach; state?: DeadLetterState; before?: string; limit: number },
): Promise<DeadLetter[]> {
  return letters.find({
    where: { tenant: within(reach), ...(state && { state }), ...(before && { id: LessThan(before) }) },
    order: { id: 'DESC' },
    take: limit,
  });
}

/** With the message itself. */
export async function findDeadLetter(
  letters: Repository<DeadLetterEntity>,
  reach: Reach,
  id: string,
): Promise<(DeadLetter & { content: Buffer }) | undefined> {
  const [letter] = await letters
    .createQueryBuilder('letter')
    .addSelect('letter.content')
    .where({ tenant: within(reach), id })
    .getMany();
  return letter;
}

const within = ({ tenant, unowned }: Reach) => (unowned ? Or(IsNull(), Equal(tenant)) : Equal(tenant));

const lockOne: Statement = {
  name: 'dead-letter.lock',
  text: `select ${columns} from dead_letter where (tenant = $1 or ($3 and tenant is null)) and id = $2 for update`,
};

export async function lockDeadLetter(tx: Tx, { tenant, unowned }: Reach, id: string): Promise<DeadLetter | undefined> {
  return (await tx.query<DeadLetter>(lockOne, [tenant, id, unowned]))[0];
}

export type SeenLetter = Pick<DeadLetter, 'id' | 'state' | 'deliveries' | 'cut'>;

const lockMany: Statement = {
  name: 'dead-letter.lock-many',
  text: `
    select id, state, deliveries, size > octet_length(content) as cut from dead_letter
    where id = any($1::uuid[]) order by id for update`,
};

/** Those of them that there are. */
export async function lockDeadLetters(tx: Tx, ids: readonly string[]): Promise<Map<string, SeenLetter>> {
  const letters = await tx.query<SeenLetter>(lockMany, [ids]);
  return new Map(letters.map((letter) => [letter.id, letter]));
}

const recordAct: Statement = {
  name: 'dead-letter.record-act',
  text: `
    update dead_letter set state = $2, acts = ${withAct(actOf('$2::text', '$3::text', '$4::text'))}
    where id = $1
    returning ${columns}`,
};

export async function actOnDeadLetter(tx: Tx, id: string, { act, by, reason }: Omit<Act, 'at'>): Promise<DeadLetter> {
  return (await tx.query<DeadLetter>(recordAct, [id, act, by, reason]))[0]!;
}

const recordActs: Statement = {
  name: 'dead-letter.record-acts',
  text: `
    update dead_letter set state = $2, acts = ${withAct(actOf('$2::text', '$3::text', '$4::text'))}
    where id = any($1::uuid[])`,
};

/** In a transaction that has locked them. */
export function actOnDeadLetters(tx: Tx, ids: readonly string[], { act, by, reason }: Omit<Act, 'at'>): void {
  tx.send(recordActs, [ids, act, by, reason]);
}

const selectReplayed: Statement = {
  name: 'dead-letter.find-replayed',
  text: `select mailbox, readable, content from dead_letter where id = $1 and state = 'replayed'`,
};

/** With the message itself, if it is to be handed over. */
export async function findReplayed(
  database: Database,
  id: string,
): Promise<(Pick<DeadLetter, 'mailbox' | 'readable'> & { content: Buffer }) | undefined> {
  return (await database.query<{ mailbox: string; readable: boolean; content: Buffer }>(selectReplayed, [id]))[0];
}
