/** Dead letters in groups, those of one kind that failed in the same way; and what a filter by such a group means. */
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

/** Which open letters are meant: those with all of these. */
export interface DeadLetterFilter {
  mailbox?: string;
  /** Null for those that could not be read, as in the groups. */
  type?: string | null;
  /** As the groups show it. */
  error?: string;
  /** Given up on last at least so long ago. */
  olderThanSeconds?: number;
}

/** The newest of them: a broken release can make any number, and all of the same few kinds. */
const MAX_LETTERS = 20_000;
/** More than operators read. The largest groups come first. */
const MAX_GROUPS = 200;
/** The same for every error of a group. */
export const MAX_GROUP_ERROR = 200;

export function groupDeadLetters(
  database: Database,
  { tenant, unowned }: Reach,
  state: DeadLetterState,
): Promise<DeadLetterGroup[]> {
  return database.query<DeadLetterGroup>(selectGroups, [tenant, unowned, state, MAX_GROUPS]);
}

const error = `left(regexp_replace(left(last_error, 500),
                               '[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|[0-9]+', '#', 'g'), ${MAX_GROUP_ERROR})`;

/** What somebody sees of a state. Groups and filters both look here, so that they mean the same letters. */
const newest = ({ tenant, unowned, state }: Record<'tenant' | 'unowned' | 'state', string>): string => `
      select id, mailbox, type, state, deliveries, first_seen_at, last_seen_at, ${error} as error from dead_letter
      where state = ${state} and (tenant = ${tenant} or (${unowned}::boolean and tenant is null))
      order by id desc limit ${MAX_LETTERS}`;

const selectGroups: Statement = {
  name: 'dead-letter.group',
  text: `
    with newest as materialized (${newest({ tenant: '$1', unowned: '$2', state: '$3' })})
    select mailbox, type, state, count(*)::int as count, min(first_seen_at) as "firstAt", max(last_seen_at) as "lastAt",
           error
    from newest group by mailbox, type, state, error
    order by count desc, mailbox, type, error limit $4`,
};

/**
 * A select of the open letters of a filter, for a statement that has these values at these places. A letter has no version; each
 * time that it comes again counts one more delivery, and what is acted on is not open any more.
 */
export const meantLetters = ({ tenant, unowned, filter }: Record<'tenant' | 'unowned' | 'filter', string>): string => `
    select id, deliveries as version, first_seen_at as since
    from (${newest({ tenant, unowned, state: `'open'` })}) as newest
    where (not ${filter}::jsonb ? 'mailbox' or mailbox = ${filter}::jsonb ->> 'mailbox')
      and (not ${filter}::jsonb ? 'type' or type is not distinct from ${filter}::jsonb ->> 'type')
      and (not ${filter}::jsonb ? 'error' or error = ${filter}::jsonb ->> 'error')
      and last_seen_at <= now() - make_interval(secs => coalesce((${filter}::jsonb ->> 'olderThanSeconds')::float8, 0))`;
