/** Orders through a replica whose clock is two days ahead. Whatever stays in the database has the time of the database. */
import type { Stack } from '@shop/stack';
import { eventually, setClockAhead, useStack } from '@shop/testing';
import { callers, OrderApp, orderBody, type OrderJson, startOwnBroker } from '../../testing/order-app';
import { allSucceed, Participants } from '../../testing/participants';

const stack = useStack();
const TWO_DAYS_MS = 2 * 24 * 3_600_000;
let broker: Stack;
let app: OrderApp;
let participants: Participants;
let putRight: (() => void) | undefined;

beforeAll(async () => {
  broker = await startOwnBroker(stack);
  participants = await Participants.join(broker.natsUrl);
  app = await OrderApp.start({ databaseUrl: stack.databaseUrl, natsUrl: broker.natsUrl });
  for (const key of [callers.operator, callers.rival]) await app.putProduct('cup', 1_200, { key });
});
beforeEach(() => {
  putRight = setClockAhead(TWO_DAYS_MS);
});
afterEach(() => putRight?.());
afterAll(async () => {
  await app.close();
  await participants.leave();
  await broker.stop();
});

interface Page {
  items: { id: string }[];
  next: string | null;
}

async function pagesOf(path: string, key: string): Promise<string[]> {
  const seen: string[] = [];
  for (let cursor = ''; ;) {
    const { items, next } = (await app.get(`${path}?limit=1${cursor}`, { key })).json<Page>();
    seen.push(...items.map(({ id }) => id));
    if (next === null) return seen;
    cursor = `&cursor=${next}`;
  }
}

/** The names of the facts that do not hold. */
async function untrue(facts: Record<string, string>, from: string, values: unknown[]): Promise<string[]> {
  const columns = Object.entries(facts).map(([name, fact]) => `${fact} as "${name}"`);
  const rows = await app.query<Record<string, boolean>>(`select ${columns.join(', ')} from ${from}`, values);
  expect(rows).toHaveLength(1);
  return Object.keys(facts).filter((name) => rows[0]![name] !== true);
}

it('R33 orders and their sagas are listed as they were placed, whoever chose the id and whatever the clock says', async () => {
  const key = callers.rival;
  const post = async () => (await app.place(orderBody(), { key })).json<OrderJson>().id;
  const put = async (id: string) => (await app.put(`/orders/${id}`, orderBody(), { key })).json<OrderJson>().id;
  const ids = [await post(), await put('ffffffff-ffff-7fff-bfff-ffffffffffff')];
  putRight!();
  ids.push(await post(), await put('00000000-0000-7000-8000-000000000001'), await post());
  const newestFirst = ids.reverse();
  expect(await pagesOf('/orders', key)).toEqual(newestFirst);
  const [sagas] = await app.query<{ ids: string[] }>(
    `select array_agg(saga_id order by array_position($1::uuid[], id)) as ids from orders where tenant = 'rival'`,
    [newestFirst],
  );
  expect(await pagesOf('/sagas', key)).toEqual(sagas!.ids);
});

it('an order, its saga and its stored answer have the time of the database', async () => {
  const answer = (await app.place(orderBody(), { idempotencyKey: 'ahead' })).json<OrderJson>();
  expect((await app.get(`/orders/${answer.id}`)).json()).toEqual(answer);
  const facts = {
    'the order is created now': `o.created_at between now() - interval '1 minute' and now()`,
    'it is not changed before it is created': 'o.updated_at >= o.created_at',
    'its saga is begun with it': 's.created_at = o.created_at',
    'its deadline is near': `s.deadline_at between now() and now() + interval '1 hour'`,
    'its answer is kept for three days': `l.expires_at = l.completed_at + interval '72 hours'`,
    'its answer is stored now': `l.created_at between now() - interval '1 minute' and now()`,
  };
  const from = `orders o join saga s on s.id = o.saga_id join ledger l on l.key = 'ahead' where o.id = $1`;
  expect(await untrue(facts, from, [answer.id])).toEqual([]);
});

it('R41 an event has the time at which the order changed, by the database', async () => {
  const { id } = (await app.place(orderBody())).json<OrderJson>();
  await participants.play(id, allSucceed);
  await app.get(`/orders/${id}`, { headers: { prefer: 'wait=30' } });
  const facts = {
    'the event is in RFC 3339': `e.event ->> 'time' ~ '^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z$'`,
    'it has the time of the order': `(e.event ->> 'time')::timestamptz = date_trunc('milliseconds', o.updated_at)`,
    'the order has changed after it was created': 'o.updated_at >= o.created_at',
  };
  await eventually(async () => {
    const from = `orders o join outbox e on e.event ->> 'subject' = o.saga_id::text where o.id = $1`;
    expect(await untrue(facts, from, [id])).toEqual([]);
  });
});
