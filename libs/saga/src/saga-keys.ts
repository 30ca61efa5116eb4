/**
 * Which sagas a list shows: their keys, newest first, from an index for each group of states. Nothing is read without a
 * limit: a filter that fits few sagas gives up behind so many looks, and says how far it has come.
 */
import type { Database, Statement } from '@shop/postgres';
import type { ActionName, SagaStatus } from './saga-state';

export interface SagaFilter {
  tenant: string;
  statuses: readonly SagaStatus[];
  definition?: string;
  step?: string;
  action?: ActionName;
  /** Why it is parked; if it is not, why it turned back. */
  reason?: string;
  /** Begun so long ago, or longer. */
  olderThanSeconds?: number;
  /** Only those among these. */
  ids?: readonly string[];
}

export interface KeysPage extends SagaFilter {
  /** The saga behind which the page begins. */
  before?: string;
  limit: number;
}

export interface SagaKey {
  id: string;
  /** Microseconds. A Date has not enough of them to sort as the database does. */
  begun: number;
}

export interface SagaKeys {
  keys: SagaKey[];
  /** There may be more behind this saga, and nobody has looked. */
  lookedUntil?: SagaKey;
}

/** In one look at an index, first few and then more. Together they take some tens of milliseconds. */
const LOOKS = [500, 4_000, 16_000];

/** Up to `limit` keys. Ids do not tell the time: the clock of the database does. */
export async function readSagaKeys(database: Database, page: KeysPage): Promise<SagaKeys> {
  const has = (...statuses: SagaStatus[]) => statuses.some((status) => page.statuses.includes(status));
  const none = Promise.resolve<SagaKeys>({ keys: [] });
  const parts: Promise<SagaKeys>[] = page.ids
    ? [all(database, selectAmong, page)]
    : [
        has('running', 'compensating') ? all(database, selectMoving, page) : none,
        has('parked') ? look(database, selectParked, page) : none,
        has('completed', 'compensated') ? look(database, selectEnded, page) : none,
      ];
  return merged(await Promise.all(parts), page.limit);
}

export const isNewer = (one: SagaKey, other: SagaKey): number =>
  other.begun - one.begun || (one.id < other.id ? 1 : one.id > other.id ? -1 : 0);

/** What lies behind the end of a part that was not looked through may not be shown before the rest of that part. */
function merged(parts: readonly SagaKeys[], limit: number): SagaKeys {
  const ends = parts.flatMap(({ lookedUntil }) => lookedUntil ?? []).sort(isNewer);
  const [lookedUntil] = ends;
  const keys = parts
    .flatMap((part) => part.keys)
    .filter((key) => !lookedUntil || isNewer(key, lookedUntil) <= 0)
    .sort(isNewer);
  return keys.length >= limit ? { keys: keys.slice(0, limit) } : { keys, lookedUntil };
}

async function all(database: Database, statement: Statement, page: KeysPage): Promise<SagaKeys> {
  const values = [...valuesOf(page, page.before), page.limit];
  return { keys: await database.query<SagaKey>(statement, page.ids ? [...values, page.ids] : values) };
}

async function look(database: Database, statement: Statement, page: KeysPage): Promise<SagaKeys> {
  const keys: SagaKey[] = [];
  let from = page.before;
  // Without a filter each saga fits, and the first look is enough.
  for (const looked of isFiltered(page) ? LOOKS : [page.limit]) {
    const limit = page.limit - keys.length;
    const found = await database.query<SagaKey & { fits: boolean; place: number }>(statement, [
      ...valuesOf(page, from),
      limit,
      looked,
    ]);
    keys.push(...found.filter(({ fits }) => fits).map(({ id, begun }) => ({ id, begun })));
    const last = found.at(-1);
    if (keys.length >= page.limit || !last || last.place < looked) return { keys };
    from = last.id;
    if (looked === LOOKS.at(-1)) return { keys, lookedUntil: { id: last.id, begun: last.begun } };
  }
  return { keys };
}

const isFiltered = ({ definition, step, action, reason, statuses }: SagaFilter): boolean =>
  definition !== undefined ||
  step !== undefined ||
  action !== undefined ||
  reason !== undefined ||
  statuses.includes('completed') !== statuses.includes('compensated');

const valuesOf = (page: SagaFilter, before?: string): unknown[] => [
  page.tenant,
  before ?? null,
  page.statuses,
  page.definition ?? null,
  page.step ?? null,
  page.reason ?? null,
  page.olderThanSeconds ?? null,
  page.action ?? null,
];

/** The same for lists, groups and batches: they mean the same sagas by the same filter. */
export const REASON = `case when status = 'parked' then coalesce(parked_reason, reason) else reason end`;
const begun = '(extract(epoch from created_at) * 1000000)::bigint as begun';
/** Behind the saga `$2`, or everything if that is null. */
const isBehind = `(created_at, id) < (
      case when $2::uuid is null then 'infinity' else (select created_at from saga where id = $2::uuid) end,
      coalesce($2::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff'))`;
const isOld = `created_at <= now() - make_interval(secs => coalesce($7::float8, 0))`;
const fits = `status = any($3::text[]) and ($4::text is null or definition = $4) and ($5::text is null or step = $5)
        and ($6::text is null or ${REASON} = $6) and ($8::text is null or action = $8)`;

/** Walks an index over the sagas with these states, and returns those that fit, and the last one that it has seen. */
const walk = (isMeant: string): string => `
    with seen as materialized (
      select id, created_at, (${fits}) as fits,
             row_number() over (order by created_at desc, id desc) as place
      from saga
      where ${isMeant} and data ->> 'tenant' = $1 and ${isBehind} and ${isOld}
      order by created_at desc, id desc limit $10)
    select id, ${begun}, fits, place from seen
    where fits or place = (select max(place) from seen)
    order by place limit $9`;

const selectParked: Statement = { name: 'saga.walk-parked', text: walk(`status = 'parked'`) };
const selectEnded: Statement = { name: 'saga.walk-ended', text: walk(`status in ('completed', 'compensated')`) };

/**
 * Selects the open sagas first, by their own index. Without `materialized`, a plan that is made while nearly all sagas
 * are open may walk the primary key. It would still do so when nearly all sagas have ended.
 */
const selectMoving: Statement = {
  name: 'saga.select-moving-keys',
  text: `
    with moving as materialized (
      select id, created_at, status, definition, step, action, parked_reason, reason, data ->> 'tenant' as tenant
      from saga where status in ('running', 'compensating'))
    select id, ${begun} from moving
    where tenant = $1 and ${isBehind} and ${isOld} and ${fits}
    order by created_at desc, id desc limit $9`,
};

const selectAmong: Statement = {
  name: 'saga.select-keys-among',
  text: `
    select id, ${begun} from saga
    where id = any($10::uuid[]) and data ->> 'tenant' = $1 and ${isBehind} and ${isOld} and ${fits}
    order by created_at desc, id desc limit $9`,
};
