/** An order from its placing to its end through the whole app, with participants that answer as the test says. */
import { randomUUID } from 'node:crypto';
import { customerHash, placeOfSource } from '@shop/contracts';
import { DEVELOPMENT_DATA_KEYS, Sealer } from '@shop/sealing';
import { eventually, useStack } from '@shop/testing';
import { Client } from 'pg';
import {
  callers,
  expectProblem,
  OrderApp,
  orderBody,
  type OrderJson,
  type TwoOrderApps,
} from '../../../testing/order-app';
import { allSucceed, allTakenBack, Participants, refused, type Script, succeeded } from '../../../testing/participants';

const stack = useStack();
let here: OrderApp;
let there: OrderApp;
let participants: Participants;
let close: TwoOrderApps['close'];
/** The address of `there`. */
let address: string;

beforeAll(async () => {
  const two = await OrderApp.startTwo(stack);
  ({ here, there, close } = two);
  participants = await Participants.join(two.natsUrl);
  address = await there.listen();
  await here.putProduct('cup', 1_200);
});
afterAll(async () => {
  await participants.leave();
  await close(here, there);
});

describe('R1 R2 the saga of an order', () => {
  const undo: Script = { 'charge/undo': succeeded, 'reserve/undo': succeeded };

  it.each<[string, Script, status: string, reason: string | undefined, commands: string[]]>([
    ['is confirmed when all goes well', allSucceed, 'confirmed', undefined, ['reserve/do', 'charge/do', 'confirm/do']],
    [
      'is cancelled when a piece is out of stock',
      { 'reserve/do': refused('out_of_stock') },
      'cancelled',
      'out_of_stock',
      ['reserve/do'],
    ],
    [
      'is cancelled and its pieces are free again when the payment is declined',
      { ...undo, 'reserve/do': succeeded, 'charge/do': refused('payment_declined') },
      'cancelled',
      'payment_declined',
      ['reserve/do', 'charge/do', 'reserve/undo'],
    ],
    [
      'is cancelled and refunded when the reservation is gone',
      { ...allSucceed, ...undo, 'confirm/do': refused('reservation_expired') },
      'cancelled',
      'reservation_expired',
      ['reserve/do', 'charge/do', 'confirm/do', 'charge/undo', 'reserve/undo'],
    ],
  ])('%s', async (_, script, status, reason, commands) => {
    const order = await place();
    await participants.play(order.id, script);
    const settled = await here.get(order.url, { headers: { prefer: 'wait=30' } });
    expect(settled.json()).toMatchObject({ id: order.id, status });
    expect(settled.json<OrderJson>().reason).toBe(reason);
    expect(participants.commandsOf(order.id)).toEqual(commands);
  });

  it('tells each service only what it needs', async () => {
    const order = await place();
    await participants.play(order.id, allSucceed);
    await here.get(order.url, { headers: { prefer: 'wait=30' } });
    const tenant = 'acme';
    expect(participants.bodyOf(order.id, 'reserve/do')).toEqual({
      tenant,
      reservationId: order.id,
      lines: [{ sku: 'cup', quantity: 2 }],
      // The customer is no name there.
      customer: customerHash(tenant, 'alice'),
    });
    expect(participants.bodyOf(order.id, 'charge/do')).toEqual({
      tenant,
      orderId: order.id,
      amount: 2_400,
      currency: 'EUR',
      source: expect.stringMatching(/^sealed\./),
    });
    expect(participants.bodyOf(order.id, 'confirm/do')).toEqual({ tenant, reservationId: order.id });
  });

  it('R26 seals the source for its order once: a command that any replica sends again is the same', async () => {
    const order = await place();
    await participants.play(order.id, { 'reserve/do': succeeded });
    const sent = () => participants.bodiesOf(order.id, 'charge/do') as { source: string }[];
    await eventually(() => expect(sent()).toHaveLength(1));
    await there.call('POST', `/sagas/${order.id}/acts`, {
      key: callers.operator,
      body: { act: 'retry', reason: 'again' },
      headers: { 'idempotency-key': randomUUID() },
    });
    await eventually(() => expect(sent()).toHaveLength(2));
    const [first, again] = sent();
    expect(again).toEqual(first);
    const sealer = new Sealer(DEVELOPMENT_DATA_KEYS);
    expect(sealer.open(first!.source, placeOfSource({ tenant: 'acme', orderId: order.id }))).toBe('tok_ok');
    await participants.play(order.id, allSucceed);
  });

  it('R10 drops replies that are repeated, late, of another step or of no saga of ours', async () => {
    const order = await place();
    await participants.reply(order.id, 'confirm/do', succeeded);
    await participants.reply(order.id, 'dance/do', succeeded);
    await participants.reply(randomUUID(), 'reserve/do', succeeded);
    await participants.reply(order.id, 'reserve/do', succeeded);
    await eventually(() => expect(participants.commandsOf(order.id)).toEqual(['reserve/do', 'charge/do']));
    // The transition is written even though the charge is not answered.
    await eventually(async () => expect(await eventsOf(order.url)).toEqual(['started', 'do.succeeded']));
    await participants.reply(order.id, 'reserve/do', refused('out_of_stock'));
    await participants.play(order.id, allSucceed);
    expect((await here.get(order.url, { headers: { prefer: 'wait=30' } })).json()).toMatchObject({
      status: 'confirmed',
    });
    expect(await eventsOf(order.url)).toEqual(['started', 'do.succeeded', 'do.succeeded', 'do.succeeded']);
  });

  it('R17 sends nothing for an order that lost the race for its key and was never committed', async () => {
    for (let round = 0; round < 10; round++) {
      const idempotencyKey = randomUUID();
      const answers = await Promise.all(
        [here, there, here, there].map((app) => app.place(orderBody(), { idempotencyKey })),
      );
      const [{ id }] = answers.map((answer) => answer.json<OrderJson>()) as [OrderJson];
      await eventually(() => expect(participants.commandsOf(id)).toEqual(['reserve/do']));
    }
    const committed = await here.query<{ id: string }>('select id from saga');
    const known = new Set(committed.map(({ id }) => id));
    expect(participants.sagaIds.filter((id) => !known.has(id))).toEqual([]);
  });

  it('R11 ends fifty sagas once each when two instances share the replies', async () => {
    const orders = await Promise.all(Array.from({ length: 50 }, (_, index) => place(index % 2 ? here : there)));
    await Promise.all(orders.map(({ id }) => participants.play(id, allSucceed)));
    const settled = await Promise.all(orders.map(({ url }) => there.get(url, { headers: { prefer: 'wait=30' } })));
    expect(settled.map((answer) => answer.json<OrderJson>().status)).toEqual(Array<string>(50).fill('confirmed'));
    const histories = await here.query<{ count: number }>(
      `select count(*)::int as count from saga_history where saga_id = any($1::uuid[]) group by saga_id`,
      [orders.map(({ id }) => id)],
    );
    expect(histories).toEqual(Array<object>(50).fill({ count: 4 }));
  });
});

describe('R9 cancelling', () => {
  it('turns a running saga back from where it is', async () => {
    const order = await place();
    await participants.play(order.id, { 'reserve/do': succeeded });
    await eventually(() => expect(participants.commandsOf(order.id)).toContain('charge/do'));
    expect((await here.call('DELETE', order.url)).statusCode).toBe(204);
    await participants.play(order.id, { 'charge/undo': succeeded, 'reserve/undo': succeeded });
    const settled = await here.get(order.url, { headers: { prefer: 'wait=30' } });
    expect(settled.json()).toMatchObject({ status: 'cancelled', reason: 'cancelled_by_client' });
    expect(participants.commandsOf(order.id)).toEqual(['reserve/do', 'charge/do', 'charge/undo', 'reserve/undo']);
    expect((await here.call('DELETE', order.url)).statusCode).toBe(204);
  });

  it('R8 asks to come again where the saga is of a newer version, instead of forgetting the wish', async () => {
    const order = await place();
    await here.query('update saga set definition_version = 99 where id = (select saga_id from orders where id = $1)', [
      order.id,
    ]);
    const answer = await there.call('DELETE', order.url);
    expectProblem(answer, 503, 'unavailable');
    expect(answer.headers['retry-after']).toBeDefined();
    expect((await here.get(order.url)).json()).toMatchObject({ status: 'pending' });
  });

  it('of a confirmed order begins one second saga, however often and wherever it is asked for', async () => {
    const order = await confirmed();
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, index) => (index % 2 ? here : there).call('DELETE', order.url)),
    );
    expect(answers.map(({ statusCode }) => statusCode)).toEqual(Array<number>(10).fill(204));
    expect((await here.get(order.url)).json()).toMatchObject({ status: 'cancelling', reason: 'cancelled_by_client' });
    const sagas = await here.query<{ id: string }>(
      `select id from saga where definition = 'cancel-order' and data ->> 'orderId' = $1`,
      [order.id],
    );
    expect(sagas).toHaveLength(1);
    const { id } = sagas[0]!;
    await participants.play(id, allTakenBack);
    const settled = await there.get(order.url, { headers: { prefer: 'wait=30' } });
    expect(settled.json()).toMatchObject({ status: 'cancelled', reason: 'cancelled_by_client' });
    expect(participants.commandsOf(id)).toEqual(['stop-delivery/do', 'refund/do', 'restock/do']);
    expect(participants.bodyOf(id, 'refund/do')).toMatchObject({ chargeId: `${order.id}/charge/do` });
    expect((await here.call('DELETE', order.url)).statusCode).toBe(204);
    expect((await here.get(`${order.url}/saga`)).json()).toMatchObject({
      definition: 'place-order',
      cancelledBy: { definition: 'cancel-order', status: 'completed' },
    });
  });

  it('that comes behind the confirmation’s departure is done when the order is confirmed', async () => {
    const order = await place();
    await participants.play(order.id, { 'reserve/do': succeeded, 'charge/do': succeeded });
    await eventually(() => expect(participants.commandsOf(order.id)).toContain('confirm/do'));
    expect((await here.call('DELETE', order.url)).statusCode).toBe(204);
    expect((await here.get(order.url)).json()).toMatchObject({ status: 'pending' });
    await participants.play(order.id, allSucceed);
    await eventually(async () => {
      expect((await here.get(order.url)).json()).toMatchObject({ status: 'cancelling', reason: 'cancelled_by_client' });
    });
  });
});

describe('R31 GET /orders/{id} with Prefer: wait', () => {
  it('returns when the order is settled, whichever instance is asked', async () => {
    const order = await place(here);
    const started = Date.now();
    const waiting = [here, there].map((app) => app.get(order.url, { headers: { prefer: 'wait=20' } }));
    await participants.play(order.id, allSucceed);
    for (const answer of await Promise.all(waiting)) {
      expect(answer.json()).toMatchObject({ status: 'confirmed' });
      expect(answer.headers).toMatchObject({ 'preference-applied': 'wait=20', etag: '"2"' });
    }
    expect(Date.now() - started).toBeLessThan(10_000);
  });

  it('returns the order as it is when the time is up', async () => {
    const order = await place();
    const started = Date.now();
    const answer = await here.get(order.url, { headers: { prefer: 'wait=1' } });
    expect(answer.json()).toMatchObject({ status: 'pending' });
    expect(Date.now() - started).toBeGreaterThanOrEqual(990);
  });

  it('waits no longer than thirty seconds, and not at all for what is settled', async () => {
    const order = await confirmed();
    const answer = await here.get(order.url, { headers: { prefer: 'wait=9999' } });
    expect([answer.statusCode, answer.headers['preference-applied']]).toEqual([200, 'wait=30']);
  });

  it.each(['wait=0', 'wait=soon', 'note="x, wait=9"'])('does not wait for Prefer: %s', async (prefer) => {
    const order = await place();
    const answer = await here.get(order.url, { headers: { prefer } });
    expect(answer.json()).toMatchObject({ status: 'pending' });
    expect(answer.headers).not.toHaveProperty('preference-applied');
  });

  it('answers 304 when the known version is all there is in that time', async () => {
    const order = await place();
    const headers = { prefer: 'handling=lenient, wait=1', 'if-none-match': '"1"' };
    const answer = await there.get(order.url, { headers });
    expect([answer.statusCode, answer.headers['etag']]).toEqual([304, '"1"']);
    expect(answer.headers['preference-applied']).toBe('wait=1');
  });

  it('waits for nobody who has gone away', async () => {
    const order = await place();
    const client = new AbortController();
    const waiting = askFor(order.url, client, { prefer: 'wait=30' });
    await eventually(() => expect(there.watchers).toBe(1));
    client.abort();
    await expect(waiting).rejects.toThrow();
    await eventually(() => expect(there.watchers).toBe(0));
  });

  it('answers 404 at once for an order that is not there', async () => {
    expectProblem(
      await here.get(`/orders/${randomUUID()}`, { headers: { prefer: 'wait=30' } }),
      404,
      'order_not_found',
    );
  });
});

describe('R31 GET /orders/{id}/events', () => {
  it('streams one event for each transition while they happen, and ends when the order is settled', async () => {
    const order = await place(here);
    const streaming = there.get(`${order.url}/events`);
    await participants.play(order.id, allSucceed);
    const answer = await streaming;
    expect(answer.headers['content-type']).toBe('text/event-stream');
    expect(transitionsIn(answer.body)).toEqual([
      ['place-order/1', 'started', 'new', 'reserve.do'],
      ['place-order/2', 'do.succeeded', 'reserve.do', 'charge.do'],
      ['place-order/3', 'do.succeeded', 'charge.do', 'confirm.do'],
      ['place-order/4', 'do.succeeded', 'confirm.do', 'completed'],
    ]);
  });

  it('goes on behind the event that a client saw last', async () => {
    const order = await confirmed();
    const answer = await here.get(`${order.url}/events`, { headers: { 'last-event-id': 'place-order/3' } });
    expect(transitionsIn(answer.body).map(([id]) => id)).toEqual(['place-order/4']);
  });

  it('tells a client that has seen the end of a settled order not to come back', async () => {
    const order = await confirmed();
    const headers = { 'last-event-id': 'place-order/4' };
    for (const method of ['GET', 'HEAD'] as const) {
      const answer = await there.call(method, `${order.url}/events`, { headers });
      expect([answer.statusCode, answer.body]).toEqual([204, '']);
    }
  });

  it('waits with a client that has seen all of an order that is not settled', async () => {
    const order = await place();
    const streaming = there.get(`${order.url}/events`, { headers: { 'last-event-id': 'place-order/1' } });
    await eventually(() => expect(there.watchers).toBe(1));
    await participants.play(order.id, allSucceed);
    const answer = await streaming;
    expect(answer.statusCode).toBe(200);
    expect(transitionsIn(answer.body).map(([id]) => id)).toEqual(['place-order/2', 'place-order/3', 'place-order/4']);
  });

  it('goes on with the second saga behind the end of the first', async () => {
    const order = await confirmed();
    await here.call('DELETE', order.url);
    const streaming = there.get(`${order.url}/events`, { headers: { 'last-event-id': 'place-order/4' } });
    const [saga] = await here.query<{ id: string }>(
      `select id from saga where definition = 'cancel-order' and data ->> 'orderId' = $1`,
      [order.id],
    );
    await participants.play(saga!.id, allTakenBack);
    const ids = transitionsIn((await streaming).body).map(([id]) => id);
    expect(ids).toEqual(['cancel-order/1', 'cancel-order/2', 'cancel-order/3', 'cancel-order/4']);
    const seen = await there.get(`${order.url}/events`, { headers: { 'last-event-id': 'cancel-order/4' } });
    expect(seen.statusCode).toBe(204);
  });

  it.each([
    'nonsense',
    'place-order/5',
    'place-order/-1',
    'place-order/0',
    '4',
    `place-order/${'9'.repeat(5_000)}`,
    '',
  ])('begins anew behind an event that never was: "%.20s"', async (id) => {
    const order = await confirmed();
    const answer = await here.get(`${order.url}/events`, { headers: { 'last-event-id': id } });
    expect(answer.statusCode).toBe(200);
    expect(transitionsIn(answer.body)).toHaveLength(4);
  });

  it('R27 answers HEAD at once, without a stream', async () => {
    const order = await place();
    const answer = await here.call('HEAD', `${order.url}/events`);
    expect([answer.statusCode, answer.headers['content-type'], answer.body]).toEqual([200, 'text/event-stream', '']);
    expect(here.watchers).toBe(0);
  });

  it.each([`/orders/${randomUUID()}`, '/orders/7'])(
    'R29 answers 404 for an order that is not there: %s',
    async (url) => {
      expectProblem(await here.get(`${url}/events`), 404, 'order_not_found');
    },
  );

  it('leaves nobody waiting when the client goes away', async () => {
    const order = await place();
    const client = new AbortController();
    const stream = (await askFor(`${order.url}/events`, client)).body!.getReader();
    await stream.read();
    await eventually(() => expect(there.watchers).toBe(1));
    client.abort();
    await eventually(() => expect(there.watchers).toBe(0));
  });

  it('does not begin for a client that went away before', async () => {
    const order = await place();
    const other = new Client({ connectionString: stack.databaseUrl });
    await other.connect();
    // Another connection locks the orders, so that the client can leave while its order is being read.
    await other.query('begin; lock table orders in access exclusive mode');
    const client = new AbortController();
    const unheard = askFor(`${order.url}/events`, client).catch(() => 'gone');
    await eventually(async () => {
      const { rows } = await other.query(`select 1 from pg_locks where not granted and relation = 'orders'::regclass`);
      expect(rows).not.toEqual([]);
    });
    client.abort();
    expect(await unheard).toBe('gone');
    await fetch(`${address}/health/live`);
    await other.query('rollback');
    await other.end();
    await there.get(order.url);
    expect(there.watchers).toBe(0);
  });

  it('R53 ends when the service stops, and so does a wait', async () => {
    const order = await place();
    const [stream, waiting] = [askFor(`${order.url}/events`), askFor(order.url, undefined, { prefer: 'wait=30' })];
    await stream;
    await eventually(() => expect(there.watchers).toBe(2));
    const started = Date.now();
    await there.close();
    expect(Date.now() - started).toBeLessThan(10_000);
    expect(transitionsIn(await (await stream).text()).map(([id]) => id)).toEqual(['place-order/1']);
    expect(await (await waiting).json()).toMatchObject({ status: 'pending' });
  });
});

/** Uses its own socket, so that a test can close it. */
function askFor(path: string, client?: AbortController, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(`${address}${path}`, {
    headers: { authorization: `Bearer ${callers.alice}`, ...headers },
    signal: client?.signal,
  });
}

async function place(app = here): Promise<{ id: string; url: string }> {
  const answer = await app.place(orderBody(), { key: callers.alice });
  expect(answer.statusCode).toBe(201);
  const { id } = answer.json<OrderJson>();
  return { id, url: `/orders/${id}` };
}

async function confirmed(): Promise<{ id: string; url: string }> {
  const order = await place();
  await participants.play(order.id, allSucceed);
  const { status } = (await here.get(order.url, { headers: { prefer: 'wait=30' } })).json<OrderJson>();
  expect(status).toBe('confirmed');
  return order;
}

async function eventsOf(url: string): Promise<string[]> {
  const { history } = (await here.get(`${url}/saga`)).json<{ history: { event: string }[] }>();
  return history.map(({ event }) => event);
}

/** The id, event, from and to of each event of a stream, without comments and blank lines. */
function transitionsIn(stream: string): string[][] {
  const blocks = stream.split('\n\n').filter((block) => block.startsWith('id:'));
  return blocks.map((block) => {
    const [, id, data] = /^id: (.+)\nevent: transition\ndata: (.+)$/.exec(block)!;
    const { event, from, to } = JSON.parse(data!) as Record<'event' | 'from' | 'to', string>;
    return [id!, event, from, to];
  });
}
