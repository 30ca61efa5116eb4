/** Reservations over HTTP as clients see them: two instances of the whole app on one database. */
import { randomUUID } from 'node:crypto';
import { useStack } from '@shop/testing';
import { type Answer, callers, expectProblem, InventoryApp, linesOf, newSku } from '../../testing/inventory-app';

const stack = useStack();
let here: InventoryApp;
let there: InventoryApp;

beforeAll(async () => {
  [here, there] = await Promise.all([InventoryApp.start(stack), InventoryApp.start(stack)]);
});
afterAll(() => Promise.all([here.close(), there.close()]));

interface Reservation {
  id: string;
  status: string;
  expiresAt: string;
  createdAt: string;
  version: number;
}

const text = expect.any(String) as string;

describe('POST /reservations', () => {
  it('holds all lines until their time is over, and tells where the reservation is', async () => {
    const [cup, mug] = [await newStock(5), await newStock(3)];
    const made = await here.reserve({ ...linesOf([cup, 2], [mug, 1]), ttlSeconds: 60 });
    expect(made.statusCode).toBe(201);
    const { id, createdAt, expiresAt } = made.json<Reservation>();
    expect(made.json()).toEqual({
      id,
      status: 'open',
      ...linesOf([cup, 2], [mug, 1]),
      expiresAt: text,
      version: 1,
      createdAt: text,
      updatedAt: createdAt,
    });
    expect(Date.parse(expiresAt) - Date.parse(createdAt)).toBe(60_000);
    expect(made.headers).toMatchObject({ location: `/reservations/${id}`, etag: '"1"' });
    expect((await there.reservation(id)).body).toBe(made.body);
    expect(await piecesOf(cup)).toEqual([5, 2]);
    expect(await piecesOf(mug)).toEqual([3, 1]);
  });

  it('holds them for a quarter of an hour, if nothing else is said', async () => {
    const made = (await here.reserve(linesOf([await newStock(5), 2]))).json<Reservation>();
    expect(Date.parse(made.expiresAt) - Date.parse(made.createdAt)).toBe(900_000);
  });

  it('holds none when there is too little of one, and tells of which', async () => {
    const [cup, mug, none] = [await newStock(5), await newStock(3), newSku()];
    const refused = await here.reserve(linesOf([cup, 2], [mug, 4], [none, 1]));
    const short = [
      { sku: mug, requested: 4, available: 3 },
      { sku: none, requested: 1, available: 0 },
    ];
    expectProblem(refused, 409, 'insufficient_stock', { short });
    expect([await piecesOf(cup), await piecesOf(mug)]).toEqual([
      [5, 0],
      [3, 0],
    ]);
  });

  it('R12 gives a repeat the same answer byte for byte, through any replica, and holds once', async () => {
    const sku = await newStock(5);
    const idempotencyKey = randomUUID();
    const first = await here.reserve(linesOf([sku, 2]), { idempotencyKey });
    const again = await there.reserve(linesOf([sku, 2]), { idempotencyKey });
    expect([again.statusCode, again.body, again.headers['idempotent-replayed']]).toEqual([201, first.body, 'true']);
    expect(await piecesOf(sku)).toEqual([5, 2]);
  });

  it('R16 runs once when twenty come at the same time', async () => {
    const sku = await newStock(50);
    const idempotencyKey = randomUUID();
    const answers = await both(20, (app) => app.reserve(linesOf([sku, 2]), { idempotencyKey }));
    expect(new Set(answers.map(({ statusCode, body }) => `${statusCode} ${body}`)).size).toBe(1);
    expect(answers.filter(({ headers }) => headers['idempotent-replayed'] === undefined)).toHaveLength(1);
    expect(await piecesOf(sku)).toEqual([50, 2]);
  });

  it('R19 gives a refusal again, also when there is enough by then', async () => {
    const sku = await newStock(1);
    const idempotencyKey = randomUUID();
    const refused = await here.reserve(linesOf([sku, 2]), { idempotencyKey });
    await here.adjust(sku, { delta: 5, reason: 'found' });
    const again = await there.reserve(linesOf([sku, 2]), { idempotencyKey });
    expectProblem(again, 409, 'insufficient_stock');
    expect([again.body, again.headers['idempotent-replayed']]).toEqual([refused.body, 'true']);
  });

  it('R20 R34 tells a repeat, after the ledger has forgotten it, that it was made, and where', async () => {
    const sku = await newStock(5);
    const idempotencyKey = randomUUID();
    const { id } = (await here.reserve(linesOf([sku, 2]), { idempotencyKey })).json<Reservation>();
    await here.query('delete from ledger where key = $1', [idempotencyKey]);
    const repeats = await both(10, (app) => app.reserve(linesOf([sku, 2]), { idempotencyKey }));
    for (const repeat of repeats) {
      expectProblem(repeat, 409, 'already_submitted', { statusUrl: `/reservations/${id}` });
      expect(repeat.headers['location']).toBe(`/reservations/${id}`);
    }
    expect(await piecesOf(sku)).toEqual([5, 2]);
  });

  it('R14 R20 tells another request under the key that it is used, also after the ledger has forgotten it', async () => {
    const sku = await newStock(5);
    const idempotencyKey = randomUUID();
    await here.reserve(linesOf([sku, 2]), { idempotencyKey });
    expectProblem(await there.reserve(linesOf([sku, 1]), { idempotencyKey }), 409, 'idempotency_key_reused');
    await here.query('delete from ledger where key = $1', [idempotencyKey]);
    expectProblem(await there.reserve(linesOf([sku, 1]), { idempotencyKey }), 409, 'idempotency_key_reused');
    expect(await piecesOf(sku)).toEqual([5, 2]);
  });

  it('R15 lets two principals use the same key', async () => {
    const sku = await newStock(5);
    const idempotencyKey = randomUUID();
    const [one, other] = await Promise.all(
      [callers.customer, callers.cora].map((key) => here.reserve(linesOf([sku, 1]), { key, idempotencyKey })),
    );
    expect([one!.statusCode, other!.statusCode]).toEqual([201, 201]);
    expect(one!.json<Reservation>().id).not.toBe(other!.json<Reservation>().id);
  });

  it.each<[string, object]>([
    ['no lines', { lines: [] }],
    ['the same SKU twice', linesOf(['cup', 1], ['cup', 2])],
    ['half a piece', linesOf(['cup', 0.5])],
    ['no time', { ...linesOf(['cup', 1]), ttlSeconds: 0 }],
    ['more than a day', { ...linesOf(['cup', 1]), ttlSeconds: 86_401 }],
    ['an unknown property', { ...linesOf(['cup', 1]), colour: 'red' }],
  ])('refuses %s', async (_, body) => {
    expectProblem(await here.reserve(body), 400, 'validation_failed');
  });
});

describe('R27 PUT /reservations/{id}', () => {
  it('makes the reservation, and converges when it is repeated', async () => {
    const [sku, id] = [await newStock(5), randomUUID()];
    const made = await here.reserveAs(id, linesOf([sku, 2]));
    expect([made.statusCode, made.headers['location'], made.headers['etag']]).toEqual([
      201,
      `/reservations/${id}`,
      '"1"',
    ]);
    const again = await there.reserveAs(id.toUpperCase(), linesOf([sku, 2]));
    expect([again.statusCode, again.body]).toEqual([200, made.body]);
    expect(await piecesOf(sku)).toEqual([5, 2]);
  });

  it('makes one when ten come at the same time to two instances', async () => {
    for (let round = 0; round < 5; round++) {
      const [sku, id] = [await newStock(5), randomUUID()];
      const answers = await both(10, (app) => app.reserveAs(id, linesOf([sku, 2])));
      expect(statusesOf(answers)).toEqual([...Array<number>(9).fill(200), 201]);
      expect(await piecesOf(sku)).toEqual([5, 2]);
    }
  });

  it('makes one under If-None-Match: *, and refuses the others', async () => {
    const [sku, id] = [await newStock(5), randomUUID()];
    const headers = { 'if-none-match': '*' };
    const answers = await both(10, (app) => app.reserveAs(id, linesOf([sku, 2]), { headers }));
    expect(statusesOf(answers)).toEqual([201, ...Array<number>(9).fill(412)]);
  });

  it('refuses other content under the id, and the id of somebody else, whatever the content', async () => {
    const [sku, id] = [await newStock(5), randomUUID()];
    await here.reserveAs(id, linesOf([sku, 2]));
    expectProblem(await there.reserveAs(id, linesOf([sku, 1])), 409, 'reservation_id_conflict');
    expectProblem(await there.reserveAs(id, linesOf([sku, 2]), { key: callers.cora }), 409, 'reservation_id_conflict');
    await here.query('delete from ledger');
    expectProblem(await there.reserveAs(id, linesOf([sku, 1])), 409, 'reservation_id_conflict');
    expect((await there.reserveAs(id, linesOf([sku, 2]))).statusCode).toBe(200);
    expect(await piecesOf(sku)).toEqual([5, 2]);
  });

  it('leaves the id free when it refuses, and the same request may be accepted later', async () => {
    const [sku, id] = [await newStock(1), randomUUID()];
    expectProblem(await here.reserveAs(id, linesOf([sku, 2])), 409, 'insufficient_stock');
    expectProblem(await here.reservation(id), 404, 'reservation_not_found');
    await here.adjust(sku, { delta: 5, reason: 'found' });
    expect((await there.reserveAs(id, linesOf([sku, 2]))).statusCode).toBe(201);
  });

  it('answers the reservation as it is now, when it was given back since', async () => {
    const [sku, id] = [await newStock(5), randomUUID()];
    await here.reserveAs(id, linesOf([sku, 2]));
    expect((await here.release(id)).statusCode).toBe(204);
    const again = await there.reserveAs(id, linesOf([sku, 2]));
    expect([again.statusCode, again.json<Reservation>()]).toMatchObject([200, { status: 'released', version: 2 }]);
    expect(await piecesOf(sku)).toEqual([5, 0]);
  });

  it('lets two tenants use the same id', async () => {
    const [sku, id] = [await newStock(5), randomUUID()];
    await here.call('PUT', `/stock/${sku}`, { key: callers.rival, body: { onHand: 1 } });
    expect((await here.reserveAs(id, linesOf([sku, 2]))).statusCode).toBe(201);
    expect((await here.reserveAs(id, linesOf([sku, 1]), { key: callers.rival })).statusCode).toBe(201);
    expect(await piecesOf(sku)).toEqual([5, 2]);
  });

  it('refuses an id that is none', async () => {
    expectProblem(await here.reserveAs('mine', linesOf(['cup', 1])), 400, 'validation_failed');
  });
});

describe('R29 DELETE /reservations/{id}', () => {
  it('gives the pieces back, once, and says the same again', async () => {
    const sku = await newStock(5);
    const { id } = (await here.reserve(linesOf([sku, 2]))).json<Reservation>();
    const answers = await both(10, (app) => app.release(id));
    expect(statusesOf(answers)).toEqual(Array<number>(10).fill(204));
    expect((await there.reservation(id)).json()).toMatchObject({ status: 'released', version: 2 });
    expect(await piecesOf(sku)).toEqual([5, 0]);
  });

  it('R28 changes the version that is named, and needs no name', async () => {
    const { id } = (await here.reserve(linesOf([await newStock(5), 2]))).json<Reservation>();
    expectProblem(await here.release(id, { headers: { 'if-match': '"7"' } }), 412, 'precondition_failed');
    expect((await here.release(id, { headers: { 'if-match': '"1"' } })).statusCode).toBe(204);
    // The version has moved, and the wish is carried out already.
    expect((await here.release(id, { headers: { 'if-match': '"1"' } })).statusCode).toBe(204);
  });

  it('finds nothing under an id that never was, and nothing of others', async () => {
    const { id } = (await here.reserve(linesOf([await newStock(5), 2]))).json<Reservation>();
    for (const [of, key] of [
      [randomUUID(), callers.customer],
      ['mine', callers.customer],
      [id, callers.cora],
      [id, callers.rival],
    ] as const) {
      expectProblem(await here.release(of, { key }), 404, 'reservation_not_found');
      expectProblem(await here.reservation(of, key), 404, 'reservation_not_found');
    }
    expect((await here.release(id, { key: callers.operator })).statusCode).toBe(204);
  });

  it('leaves alone what is sold, what an order has, and what a saga holds', async () => {
    const sku = await newStock(5);
    const { id } = (await here.reserve(linesOf([sku, 2]))).json<Reservation>();
    for (const [status, code] of [
      ['confirmed', 'reservation_confirmed'],
      ['restocked', 'reservation_confirmed'],
      ['taken', 'reservation_used'],
    ] as const) {
      await here.query('update reservation set status = $1 where id = $2', [status, id]);
      expectProblem(await here.release(id), 409, code);
    }
    await here.query(`update reservation set status = 'open', placed_by = null where id = $1`, [id]);
    expectProblem(await here.release(id, { key: callers.operator }), 409, 'reservation_of_order');
    expect(await piecesOf(sku)).toEqual([5, 2]);
  });
});

describe('R33 GET /reservations', () => {
  it('shows a customer its own, newest first, page by page, and an operator those of everybody', async () => {
    const sku = await newStock(50);
    await here.query(`delete from reservation where status <> 'open'`);
    const before = (await list(callers.operator, 'limit=200')).items.map(({ id }) => id);
    const own: string[] = [];
    for (let nth = 0; nth < 5; nth++) own.unshift((await here.reserve(linesOf([sku, 1]))).json<Reservation>().id);
    const { id: other } = (await here.reserve(linesOf([sku, 1]), { key: callers.cora })).json<Reservation>();
    expect((await list(callers.cora, 'status=open')).items[0]!.id).toBe(other);
    const seen: string[] = [];
    for (let query = 'limit=2'; seen.length < own.length;) {
      const page = await list(callers.customer, query);
      expect(page.items).toHaveLength(2);
      seen.push(...page.items.map(({ id }) => id));
      query = `limit=2&cursor=${page.next}`;
    }
    expect(seen.slice(0, own.length)).toEqual(own);
    const all = (await list(callers.operator, 'limit=200')).items.map(({ id }) => id);
    expect(all).toEqual([other, ...own, ...before]);
    expect((await list(callers.rival, 'limit=200')).items).not.toContainEqual(expect.objectContaining({ id: other }));
  });

  it('shows those of one status', async () => {
    const sku = await newStock(5);
    const { id } = (await here.reserve(linesOf([sku, 1]))).json<Reservation>();
    await here.release(id);
    expect((await list(callers.customer, 'status=released')).items[0]).toMatchObject({ id, status: 'released' });
    expect((await list(callers.customer, 'status=open')).items).not.toContainEqual(expect.objectContaining({ id }));
    expectProblem(await here.call('GET', '/reservations?status=lost'), 400, 'validation_failed');
  });

  it('R28 answers 304 for a known ETag', async () => {
    const { id } = (await here.reserve(linesOf([await newStock(5), 1]))).json<Reservation>();
    const url = `/reservations/${id}`;
    const known = await here.call('GET', url, { key: callers.customer, headers: { 'if-none-match': '"1"' } });
    expect([known.statusCode, known.body]).toEqual([304, '']);
  });
});

async function newStock(onHand: number): Promise<string> {
  const sku = newSku();
  expect((await here.put(sku, onHand)).statusCode).toBe(201);
  return sku;
}

async function piecesOf(sku: string): Promise<[onHand: number, reserved: number]> {
  const { onHand, reserved } = (await there.get(sku)).json<{ onHand: number; reserved: number }>();
  return [onHand, reserved];
}

const list = async (key: string, query: string) =>
  (await there.call('GET', `/reservations?${query}`, { key })).json<{ items: Reservation[]; next: string | null }>();

/** The same at once, through two instances. */
const both = (count: number, ask: (app: InventoryApp) => Promise<Answer>): Promise<Answer[]> =>
  Promise.all(Array.from({ length: count }, (_, index) => ask(index % 2 ? here : there)));

const statusesOf = (answers: readonly Answer[]): number[] => answers.map(({ statusCode }) => statusCode).sort();
