/**
 * A repeat of `POST /orders` after the ledger has forgotten it, through two instances of the whole app on one database.
 */
import { randomUUID } from 'node:crypto';
import { eventually, useStack } from '@shop/testing';
import { Client } from 'pg';
import {
  type Answer,
  callers,
  deadlocksAfterClosing,
  expectProblem,
  OrderApp,
  orderBody,
  type OrderJson,
  type TwoOrderApps,
} from '../../../testing/order-app';

const stack = useStack();
let here: OrderApp;
let there: OrderApp;
let natsUrl: string;
let close: TwoOrderApps['close'];

beforeAll(async () => {
  ({ here, there, natsUrl, close } = await OrderApp.startTwo(stack));
  await here.putProduct('cup', 1_200);
  await here.putProduct('cup', 1_200, { key: callers.rival });
});
afterAll(() => close(here, there));

describe('R20 after its key has expired', () => {
  it('R34 a repeat is told that it was submitted, and where to look, and is no second order', async () => {
    const { idempotencyKey, url } = await placedAndForgotten();
    const before = await here.counts();
    const repeat = await there.place(orderBody(), { idempotencyKey });
    expectAlreadySubmitted(repeat, url);
    const { orders, sagas } = await here.counts();
    expect({ orders, sagas }).toEqual({ orders: before.orders, sagas: before.sagas });
    expect((await here.get(url)).statusCode).toBe(200);
  });

  it('R19 gives a further repeat the same answer from the ledger', async () => {
    const { idempotencyKey, url } = await placedAndForgotten();
    const first = await here.place(orderBody(), { idempotencyKey });
    const second = await there.place(orderBody(), { idempotencyKey });
    expectAlreadySubmitted(second, url);
    expect([second.body, second.headers['idempotent-replayed']]).toEqual([first.body, 'true']);
  });

  it('R14 another request under the key is still another request', async () => {
    const { idempotencyKey, url } = await placedAndForgotten();
    const eve = orderBody({ customerId: 'eve' });
    for (let round = 0; round < 2; round++) {
      expectProblem(await here.place(eve, { idempotencyKey }), 409, 'idempotency_key_reused');
    }
    expectAlreadySubmitted(await here.place(orderBody(), { idempotencyKey }), url);
  });

  it('R15 the equal key of another principal or tenant places an order of its own', async () => {
    const { idempotencyKey } = await placedAndForgotten();
    for (const key of [callers.bob, callers.rival]) {
      expect((await here.place(orderBody(), { idempotencyKey, key })).statusCode).toBe(201);
    }
  });

  it('R16 twenty repeats at once, through two instances, are told alike', async () => {
    const { idempotencyKey, url } = await placedAndForgotten();
    const before = await here.counts();
    const repeats = await Promise.all(
      Array.from({ length: 20 }, (_, index) => (index % 2 ? here : there).place(orderBody(), { idempotencyKey })),
    );
    for (const repeat of repeats) expectAlreadySubmitted(repeat, url);
    expect((await here.counts()).orders).toBe(before.orders);
  });

  it('a repeat in a batch of fresh requests spoils none of them', async () => {
    const { idempotencyKey, url } = await placedAndForgotten();
    const before = await here.counts();
    const [repeat, ...fresh] = await Promise.all([
      here.place(orderBody(), { idempotencyKey }),
      ...Array.from({ length: 12 }, () => here.place()),
      here.put(`/orders/${randomUUID()}`, orderBody()),
    ]);
    expectAlreadySubmitted(repeat, url);
    expect(fresh.map(({ statusCode }) => statusCode)).toEqual(Array<number>(13).fill(201));
    expect(new Set(fresh.map((answer) => answer.json<OrderJson>().id)).size).toBe(13);
    const { orders, sagas } = await here.counts();
    expect([orders - before.orders, sagas - before.sagas]).toEqual([13, 13]);
  });

  it('R16 fresh requests under one key, at once and through two instances, are replays and not repeats', async () => {
    for (let round = 0; round < 10; round++) {
      const idempotencyKey = randomUUID();
      const answers = await Promise.all(
        [here, there, here, there].map((app) => app.place(orderBody(), { idempotencyKey })),
      );
      expect(new Set(answers.map(({ statusCode, body }) => `${statusCode} ${body}`)).size).toBe(1);
      expect(answers[0]!.statusCode).toBe(201);
    }
  });

  it('two instances that get the same keys in opposite orders never deadlock', async () => {
    const keys = Array.from({ length: 4 }, () => randomUUID());
    const client = new Client({ connectionString: stack.databaseUrl });
    await client.connect();
    // Another connection holds the middle natural key, so each instance stops half-way.
    await client.query('begin');
    await client.query(
      `insert into orders (tenant, id, customer_id, items, total_amount, total_currency, status, request_hash, saga_id,
                           placed_as)
       select 'acme', gen_random_uuid(), 'eve', '[]', 0, 'EUR', 'pending', sha256('eve'), gen_random_uuid(), placed_as
       from unnest($1::text[]) as k (key)
       cross join lateral (select left(encode(sha256(convert_to('acme|alice|POST /orders' || e'\\n' || key, 'UTF8')), 'hex'), 32)::uuid)
         as hashed (placed_as)
       order by placed_as offset 1 limit 1`,
      [keys],
    );
    const answering = Promise.all([
      ...keys.map((idempotencyKey) => here.place(orderBody(), { idempotencyKey })),
      ...keys.toReversed().map((idempotencyKey) => there.place(orderBody(), { idempotencyKey })),
    ]);
    await eventually(async () => {
      const { rows } = await client.query(
        `select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
      );
      expect(rows).toHaveLength(2);
    });
    await client.query('rollback');
    await client.end();
    const answers = await answering;
    expect(answers.map(({ statusCode }) => statusCode)).toEqual(Array<number>(8).fill(201));
    expect(new Set(answers.map(({ body }) => body)).size).toBe(4);

    const deadlocks = await deadlocksAfterClosing(stack, here, there);
    const urls = { databaseUrl: stack.databaseUrl, natsUrl };
    [here, there] = await Promise.all([OrderApp.start(urls), OrderApp.start(urls)]);
    expect(deadlocks).toBe(0);
  });
});

async function placedAndForgotten(): Promise<{ idempotencyKey: string; url: string }> {
  const idempotencyKey = randomUUID();
  const first = await here.place(orderBody(), { idempotencyKey });
  expect(first.statusCode).toBe(201);
  await here.query('delete from ledger where key = $1', [idempotencyKey]);
  return { idempotencyKey, url: String(first.headers['location']) };
}

function expectAlreadySubmitted(answer: Answer, statusUrl: string): void {
  expectProblem(answer, 409, 'already_submitted');
  expect([answer.json<{ statusUrl: string }>().statusUrl, answer.headers['location']]).toEqual([statusUrl, statusUrl]);
}
