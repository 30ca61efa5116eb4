/** Lists, groups and counts of sagas, on tables with so many rows that a wrong plan would be seen. */
import { randomUUID } from 'node:crypto';
import type { Statement } from '@shop/postgres';
import { type Journey, journeyV1, refused, replyTo } from '../testing/journey';
import { openReplica, type Replica } from '../testing/replica';
import { actOn, beginOn, useSagaStack } from '../testing/sagas';
import { censusOf, groupSagas } from './saga-groups';
import type { KeysPage } from './saga-keys';
import { listSagas, openStatuses } from './saga-list';
import { sagaStatuses } from './saga-state';

const stack = useSagaStack();
const MANY = 60_000;
const TIMEOUT_MS = 120_000;

let one: Replica;
beforeAll(async () => {
  one = await openReplica(stack.databaseUrl);
});
afterAll(() => one.database.close());

const run = <Row>(name: string, text: string, values: unknown[] = []) =>
  one.database.query<Row>({ name: `test.${name}`, text }, values);
const clear = () => run('clear', 'truncate saga, saga_history cascade');
const begin = (tenant = 'acme') => beginOn(one, journeyV1, { traveller: 'Ada', tenant } as Journey);

async function park(id: string, reason = 'too_late'): Promise<string> {
  await one.engine.dispatch(id, { type: 'cancel-requested', reason: 'rain' });
  await one.engine.receive(replyTo(id, 'flight.undo', refused(reason)));
  return id;
}

/** All pages, one behind the other. */
async function walk(page: Partial<KeysPage>): Promise<string[]> {
  const ids: string[] = [];
  let before: string | undefined;
  for (let pages = 0; pages < 1_000; pages++) {
    const { items, next } = await listSagas(one.database, {
      tenant: 'acme',
      statuses: openStatuses,
      limit: 2,
      ...page,
      before,
    });
    ids.push(...items.map(({ id }) => id));
    if (next === null) return ids;
    before = next;
  }
  throw new Error('the list has no end');
}

describe('R6 the list of sagas', () => {
  let [parked, moving, refusedOne, ended]: string[] = [];
  beforeAll(async () => {
    await clear();
    parked = await park(await begin());
    await park(await begin('rival'));
    ended = await begin();
    await one.engine.receive(replyTo(ended, 'flight.do', refused('sold_out')));
    refusedOne = await park(await begin(), 'no_such_flight');
    moving = await begin();
  });

  it('R6 R54 has those of one tenant, newest first, page by page, of any states', async () => {
    expect(await walk({})).toEqual([moving, refusedOne, parked]);
    expect(await walk({ statuses: ['parked'] })).toEqual([refusedOne, parked]);
    expect(await walk({ statuses: ['running'] })).toEqual([moving]);
    expect(await walk({ statuses: ['compensating'] })).toEqual([]);
    expect(await walk({ statuses: sagaStatuses })).toEqual([moving, refusedOne, ended, parked]);
    expect(await walk({ statuses: ['compensated'], limit: 1 })).toEqual([ended]);
    expect(await walk({ statuses: ['completed'] })).toEqual([]);
  });

  it('R6 finds them by definition, step, reason, age and id, and by all of these at once', async () => {
    const statuses = sagaStatuses;
    expect(await walk({ statuses, definition: journeyV1.name })).toHaveLength(4);
    expect(await walk({ statuses, definition: 'other' })).toEqual([]);
    expect(await walk({ statuses, step: 'hotel' })).toEqual([]);
    // A parked one has the reason why it is parked, another one that why it turned back.
    expect(await walk({ statuses, reason: 'no_such_flight' })).toEqual([refusedOne]);
    expect(await walk({ statuses, reason: 'sold_out' })).toEqual([ended]);
    expect(await walk({ statuses, reason: 'rain' })).toEqual([]);
    await run('older', `update saga set created_at = created_at - interval '1 hour' where id = $1`, [parked]);
    expect(await walk({ statuses, olderThanSeconds: 1_800 })).toEqual([parked]);
    const theirs = (await run<{ id: string }>('theirs', `select id from saga where data ->> 'tenant' = 'rival'`))[0]!
      .id;
    expect(await walk({ statuses, ids: [ended!, theirs, randomUUID()] })).toEqual([ended]);
    expect(await walk({ statuses: openStatuses, ids: [ended!, moving!], step: 'flight' })).toEqual([moving]);
    expect(await walk({ statuses, ids: [] })).toEqual([]);
  });

  it('R6 tells why a saga is parked as long as it is, whatever else comes', async () => {
    const reasonOf = async (id: string) =>
      (await listSagas(one.database, { tenant: 'acme', statuses: sagaStatuses, ids: [id], limit: 1 })).items[0]!
        .parkedReason;
    const id = await begin();
    expect(await reasonOf(id)).toBeUndefined();
    for (const name of ['flight', 'hotel']) await one.engine.receive(replyTo(id, `${name}.do`));
    await one.engine.receive(replyTo(id, 'pay.do', { ...refused('unreadable'), inDoubt: true }));
    expect(await reasonOf(id)).toBe('unreadable');
    await actOn(one, id, { type: 'operator', act: 'cancel', by: 'olga' });
    expect(await reasonOf(id)).toBe('unreadable');
    await actOn(one, id, { type: 'operator', act: 'retry', by: 'olga' });
    expect(await reasonOf(id)).toBeUndefined();
  });
});

describe('R6 groups of open sagas', () => {
  it('R6 R54 have those that stand at one place for one reason, and no saga of others', async () => {
    await clear();
    for (const reason of ['too_late', 'too_late', 'closed']) await park(await begin(), reason);
    await park(await begin('rival'));
    await begin();
    const time = expect.any(Date) as Date;
    const place = { definition: journeyV1.name, step: 'flight', action: 'undo' };
    const groups = await groupSagas(one.database, 'acme', 'parked');
    expect(groups).toEqual([
      { ...place, reason: 'too_late', count: 2, firstAt: time, lastAt: time },
      { ...place, reason: 'closed', count: 1, firstAt: time, lastAt: time },
    ]);
    expect(groups[0]!.firstAt.getTime()).toBeLessThan(groups[0]!.lastAt.getTime());
    expect(await groupSagas(one.database, 'acme', 'running')).toMatchObject([
      { step: 'flight', action: 'do', reason: null, count: 1 },
    ]);
    expect(await groupSagas(one.database, 'acme', 'compensating')).toEqual([]);
    const census = await censusOf(one.database, 'acme');
    expect(census).toEqual({
      at: time,
      groups: [
        { ...place, status: 'parked', count: 3, oldestAt: time, lastMovedAt: time },
        { ...place, action: 'do', status: 'running', count: 1, oldestAt: time, lastMovedAt: time },
      ],
    });
    expect(await censusOf(one.database, 'nobody')).toEqual({ at: time, groups: [] });
  });
});

describe(`R6 the list of ${MANY} sagas`, () => {
  beforeAll(async () => {
    await clear();
    // Two tenants; a few hundred parked, and a reason that only a few have, all among the oldest.
    await stack.administer(
      `insert into saga (id, definition, definition_version, status, step, action, attempt, reason, parked_reason, data,
                         traceparent, version, created_at)
       select gen_random_uuid(), 'journey', 1, status, 'flight', 'do', 1,
              case when status = 'compensated' then case when n < 10 then 'rare' else 'sold_out' end end,
              case when status = 'parked' then 'too_late' end,
              jsonb_build_object('tenant', case when n % 2 = 0 then 'acme' else 'rival' end, 'traveller', 'Ada'), '', 5,
              now() - (${MANY} - n) * interval '1 millisecond'
       from generate_series(1, ${MANY}) as n,
            lateral (select case when n < 10 or n % 50 = 2 then 'compensated' when n % 200 = 4 then 'parked'
                                 when n % 2000 = 6 then 'running' else 'completed' end as status) as s`,
    );
    await stack.administer('analyze saga');
  }, TIMEOUT_MS);

  it('R6 is read by the index of each state, from its newest end', async () => {
    const plans = await plansOf({ statuses: sagaStatuses, limit: 51 });
    expect(plans).toHaveLength(3);
    const text = plans.join('\n');
    expect(text).toMatch(/using saga_open/);
    expect(text).toMatch(/Index Scan Backward using saga_parked/);
    expect(text).toMatch(/Index Scan Backward using saga_ended/);
    expect(text).not.toMatch(/Seq Scan/);
  });

  it('R6 gives up a filter that fits few, says where it is, and finds them behind that', async () => {
    const statuses = ['compensated'] as const;
    const page = { tenant: 'acme', statuses, reason: 'rare', limit: 50 };
    const first = await listSagas(one.database, page);
    expect(first.items).toEqual([]);
    expect(first.next).toEqual(expect.any(String));
    expect(await walk(page)).toHaveLength(4);
    expect(await walk({ statuses: sagaStatuses, reason: 'rare' })).toHaveLength(4);
  });

  it('R6 leaves none out, and shows none twice', async () => {
    const ids = await walk({ statuses: sagaStatuses, limit: 200 });
    expect(ids).toHaveLength(MANY / 2);
    expect(new Set(ids).size).toBe(MANY / 2);
    const parked = await walk({ statuses: openStatuses, limit: 7 });
    const rows = await run<{ id: string }>(
      'expected',
      `select id from saga where status in ('parked', 'running') and data ->> 'tenant' = 'acme' order by created_at desc, id desc`,
    );
    expect(parked).toEqual(rows.map(({ id }) => id));
  });
});

/** The plans for any values, as the connections of a service make them once for all values. */
async function plansOf(page: Omit<KeysPage, 'tenant'>): Promise<string[]> {
  const asked: Statement[] = [];
  const spy = {
    query: (statement: Statement) => {
      asked.push(statement);
      return Promise.resolve([]);
    },
  };
  await listSagas(spy as unknown as Replica['database'], { tenant: 'acme', ...page });
  return Promise.all(
    asked.map(async ({ text }) => {
      const rows = await one.database.dataSource.query<{ 'QUERY PLAN': string }[]>(`explain (generic_plan) ${text}`);
      return rows.map((row) => row['QUERY PLAN']).join('\n');
    }),
  );
}
