/** Dead letters in groups: those of one kind that failed in the same way. */
import type { Database, Statement } from '@shop/postgres';
import type { DeadLetterState } from './dead-letter';
import type { Reach } from './dead-letter.repository';

export interface DeadLetterGroup {
  mailbox: string;
  /** Null for messages that could not be read. */
  type: string | null;
  /** The last error of each, with a # for each number and id in it. */
  error: string;
  state: DeadLetterState;
  count: number;
  firstAt: Date;
  lastAt: Date;
}

/** The newest of them: a broken release can make any number, and all of the same few kinds. */
const MAX_LETTERS = 20_000;
/** More than operators read. The largest groups come first. */
const MAX_GROUPS = 200;

export function groupDeadLetters(
  database: Database,
  { tenant, unowned }: Reach,
  state: DeadLetterState,
): Promise<DeadLetterGroup[]> {
  return database.query<DeadLetterGroup>(selectGroups, [tenant, unowned, state, MAX_LETTERS, MAX_GROUPS]);
}

const selectGroups: Statement = {
  name: 'dead-letter.group',
  text: `
    with newest as materialized (
      select mailbox, type, last_error, state, first_seen_at, last_seen_at from dead_letter
      where state = $3 and (tenant = $1 or ($2::boolean and tenant is null))
      order by id desc limit $4)
    select mailbox, type, state, count(*)::int as count, min(first_seen_at) as "firstAt", max(last_seen_at) as "lastAt",
           left(regexp_replace(left(last_error, 500),
                               '[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|[0-9]+', '#', 'g'), 200) as error
    from newest group by mailbox, type, state, error
    order by count desc, mailbox, type, error limit $5`,
};
