/** What belongs to the stock of one SKU, over HTTP through two instances: policy, queue, locations and movements. */
import { useStack } from '@shop/testing';
import { eventually } from '@shop/testing';
import { type Answer, callers, expectProblem, InventoryApp, linesOf, newSku } from '../../testing/inventory-app';

const stack = useStack();
let here: InventoryApp;
let there: InventoryApp;

beforeAll(async () => {
  [here, there] = await Promise.all([InventoryApp.start(stack), InventoryApp.start(stack)]);
});
afterEach(expectBooksToBalance);
afterAll(() => Promise.all([here.close(), there.close()]));

describe('R28 PUT /stock/{sku}/policy', () => {
  const put = (sku: string, body: object, headers: Record<string, string> = {}) =>
    here.call('PUT', `/stock/${sku}/policy`, { body, headers });
  const policy = { backorderLimit: 3, customerLimit: 2 };

  it('changes the version that is named, and takes the same again without a name', async () => {
    const sku = await newStock(5);
    const read = await there.call('GET', `/stock/${sku}/policy`);
    expect([read.json(), read.headers['etag']]).toEqual([
      { sku, backorderLimit: 0, customerLimit: null, version: 1 },
      '"1"',
    ]);
    expectProblem(await put(sku, policy), 428, 'precondition_required');
    expectProblem(await put(sku, policy, { 'if-match': '"7"' }), 412, 'precondition_failed', { currentETag: '"1"' });
    const changed = await put(sku, policy, { 'if-match': '"1"' });
    expect([changed.statusCode, changed.json(), changed.headers['etag']]).toEqual([
      200,
      { sku, ...policy, version: 2 },
      '"2"',
    ]);
    const again = await put(sku, policy);
    expect([again.statusCode, again.body]).toEqual([200, changed.body]);
    expect((await there.get(sku)).json()).toMatchObject({ ...policy, available: 5, orderable: 8, version: 2 });
  });

  it('finds no policy of stock that nobody keeps, and refuses numbers that are none', async () => {
    expectProblem(await put(newSku(), policy), 404, 'stock_not_found');
    const sku = await newStock(5);
    for (const wrong of [{ backorderLimit: -1 }, { customerLimit: 0 }, { customerLimit: undefined }])
      expectProblem(await put(sku, { ...policy, ...wrong }), 400, 'validation_failed');
  });
});

describe('a limit for each customer', () => {
  it('counts what a customer holds and has bought, and asks who it is', async () => {
    const sku = await newStock(50);
    await here.putPolicy(sku, { customerLimit: 3 });
    expectProblem(await here.reserve(linesOf([sku, 1])), 422, 'customer_required', { skus: [sku] });
    const first = await here.reserve({ ...linesOf([sku, 2]), customerId: 'alice' });
    expect(first.statusCode).toBe(201);
    const second = await there.reserve({ ...linesOf([sku, 2]), customerId: 'alice' });
    expectProblem(second, 409, 'customer_limit_reached', { limits: [{ sku, limit: 3, held: 2 }] });
    expect((await there.reserve({ ...linesOf([sku, 2]), customerId: 'bob' })).statusCode).toBe(201);
    await here.release(first.json<{ id: string }>().id);
    expect((await there.reserve({ ...linesOf([sku, 3]), customerId: 'alice' })).statusCode).toBe(201);
  });
});

describe('what is reserved before it is there', () => {
  it('waits in a queue up to the limit, and gets what comes, in the order of the requests', async () => {
    const sku = await newStock(1);
    await here.putPolicy(sku, { backorderLimit: 3 });
    const first = await here.reserve(linesOf([sku, 2]));
    expect(first.json()).toMatchObject({ status: 'open', awaited: [{ sku, quantity: 1 }] });
    const second = await there.reserve(linesOf([sku, 2]));
    expect(second.json()).toMatchObject({ awaited: [{ sku, quantity: 2 }] });
    expect((await here.get(sku)).json()).toMatchObject({ reserved: 4, awaited: 3, available: 0, orderable: 0 });
    const third = await here.reserve(linesOf([sku, 1]));
    expectProblem(third, 409, 'insufficient_stock', { short: [{ sku, requested: 1, available: 0 }] });
    await there.adjust(sku, { delta: 2, reason: 'delivered' });
    await eventually(async () => {
      expect((await there.reservation(first.json<{ id: string }>().id)).json()).not.toHaveProperty('awaited');
      const waiting = await there.reservation(second.json<{ id: string }>().id);
      expect(waiting.json()).toMatchObject({ awaited: [{ sku, quantity: 1 }] });
      expect((await here.get(sku)).json()).toMatchObject({ onHand: 3, reserved: 4, awaited: 1, available: 0 });
    });
  });

  it('does not overtake: what comes is for those who wait, and not for who asks next', async () => {
    const sku = await newStock(0);
    await here.putPolicy(sku, { backorderLimit: 2 });
    const waiting = await here.reserve(linesOf([sku, 2]));
    await there.adjust(sku, { delta: 2, reason: 'delivered' });
    expectProblem(await here.reserve(linesOf([sku, 3])), 409, 'insufficient_stock');
    const id = waiting.json<{ id: string }>().id;
    await eventually(async () => expect((await there.reservation(id)).json()).not.toHaveProperty('awaited'));
  });

  it('is filled to the end when very many wait, and each gets its piece once', async () => {
    const sku = await newStock(0);
    await here.putPolicy(sku, { backorderLimit: 250 });
    const made = await Promise.all(
      Array.from({ length: 250 }, (_, nth) => (nth % 2 ? here : there).reserve(linesOf([sku, 1]))),
    );
    expect(new Set(made.map(({ statusCode }) => statusCode))).toEqual(new Set([201]));
    await here.adjust(sku, { delta: 250, reason: 'delivered' });
    await eventually(async () =>
      expect((await there.get(sku)).json()).toMatchObject({ onHand: 250, reserved: 250, awaited: 0 }),
    );
  });

  it('is given up with the reservation', async () => {
    const sku = await newStock(1);
    await here.putPolicy(sku, { backorderLimit: 3 });
    const { id } = (await here.reserve(linesOf([sku, 3]))).json<{ id: string }>();
    expect((await there.release(id)).statusCode).toBe(204);
    expect((await here.get(sku)).json()).toMatchObject({ onHand: 1, reserved: 0, awaited: 0, orderable: 4 });
  });
});

describe('R27 PUT /stock/{sku}/locations/{location}', () => {
  const putAt = (sku: string, location: string, onHand: number, headers: Record<string, string> = {}) =>
    here.call('PUT', `/stock/${sku}/locations/${location}`, { body: { onHand }, headers });

  it('creates a location beside what is at main, and converges', async () => {
    const sku = await newStock(5);
    const created = await putAt(sku, 'berlin', 3);
    expect(created.statusCode).toBe(201);
    expect(created.json()).toMatchObject({
      onHand: 8,
      available: 8,
      version: 2,
      locations: [
        { location: 'berlin', onHand: 3, reserved: 0, available: 3 },
        { location: 'main', onHand: 5, reserved: 0, available: 5 },
      ],
    });
    const again = await putAt(sku, 'berlin', 3);
    expect([again.statusCode, again.body]).toEqual([200, created.body]);
    expect((await there.get(sku)).body).toBe(created.body);
    expect(await here.movementsOf(sku)).toEqual([5, 3]);
  });

  it('creates it once when ten come at the same time to two instances', async () => {
    const sku = await newStock(5);
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, nth) =>
        (nth % 2 ? here : there).call('PUT', `/stock/${sku}/locations/berlin`, { body: { onHand: 3 } }),
      ),
    );
    expect(statusesOf(answers)).toEqual([...Array<number>(9).fill(200), 201]);
    expect(await here.movementsOf(sku)).toEqual([5, 3]);
  });

  it('R28 changes the version of the stock that is named', async () => {
    const sku = await newStock(5);
    await putAt(sku, 'berlin', 3);
    expectProblem(await putAt(sku, 'berlin', 4), 428, 'precondition_required');
    expectProblem(await putAt(sku, 'berlin', 4, { 'if-match': '"1"' }), 412, 'precondition_failed', {
      currentETag: '"2"',
    });
    const once = { 'if-none-match': '*' };
    expectProblem(await putAt(sku, 'berlin', 3, once), 412, 'precondition_failed');
    const changed = await putAt(sku, 'berlin', 4, { 'if-match': '"2"' });
    expect([changed.statusCode, changed.json<{ onHand: number }>().onHand]).toEqual([200, 9]);
  });

  it('does not go below what is reserved there, and a SKU with locations is counted and adjusted at one of them', async () => {
    const sku = await newStock(2);
    await putAt(sku, 'berlin', 5);
    expect((await here.reserve(linesOf([sku, 5]))).statusCode).toBe(201);
    expectProblem(await putAt(sku, 'berlin', 4, { 'if-match': '*' }), 409, 'insufficient_stock');
    expectProblem(await here.put(sku, 9, { 'if-match': '*' }), 409, 'location_required');
    expectProblem(await here.adjust(sku, { delta: 1, reason: 'found' }), 409, 'location_required');
    expectProblem(await here.adjust(sku, { delta: 1, reason: 'found', location: 'paris' }), 409, 'location_not_found');
    const adjusted = await here.adjust(sku, { delta: -1, reason: 'broken', location: 'main' });
    expect(adjusted.json()).toMatchObject({
      onHand: 6,
      locations: [
        { location: 'berlin', onHand: 5, reserved: 5, available: 0 },
        { location: 'main', onHand: 1, reserved: 0, available: 1 },
      ],
    });
    const { items } = (await there.call('GET', `/stock/${sku}/movements`)).json<{ items: object[] }>();
    expect(items[0]).toMatchObject({ delta: -1, reason: 'broken', location: 'main' });
  });

  it('knows where the pieces of a reservation are that was made before there were locations', async () => {
    const sku = await newStock(5);
    const { id } = (await here.reserve(linesOf([sku, 4]))).json<{ id: string }>();
    await putAt(sku, 'berlin', 3);
    expect((await here.get(sku)).json()).toMatchObject({
      locations: [
        { location: 'berlin', reserved: 0 },
        { location: 'main', reserved: 4 },
      ],
    });
    expect((await there.release(id)).statusCode).toBe(204);
    expect((await here.get(sku)).json()).toMatchObject({ reserved: 0, locations: [{}, { reserved: 0 }] });
  });

  it('gives what comes to a location to those who wait', async () => {
    const sku = await newStock(0);
    await here.putPolicy(sku, { backorderLimit: 2 });
    const { id } = (await here.reserve(linesOf([sku, 2]))).json<{ id: string }>();
    await putAt(sku, 'berlin', 2);
    await eventually(async () => {
      expect((await there.reservation(id)).json()).not.toHaveProperty('awaited');
      expect((await here.get(sku)).json()).toMatchObject({ reserved: 2, awaited: 0 });
    });
  });
});

describe('R33 GET /stock/{sku}/movements', () => {
  it('tells each change of what is on hand, newest first, page by page', async () => {
    const sku = await newStock(5);
    for (const delta of [1, 2, 3]) await here.adjust(sku, { delta, reason: `delivery ${delta}` });
    const page = async (cursor: string) =>
      (await there.call('GET', `/stock/${sku}/movements?limit=3${cursor}`)).json<{ items: object[]; next: string }>();
    const first = await page('');
    expect(first.items).toMatchObject([{ delta: 3, reason: 'delivery 3' }, { delta: 2 }, { delta: 1 }]);
    const last = await page(`&cursor=${first.next}`);
    expect(last).toMatchObject({ items: [{ delta: 5, reason: 'counted' }], next: null });
    expect(JSON.stringify([first, last])).not.toContain('cause');
  });

  it('is for operators, and only of their own stock', async () => {
    const sku = await newStock(5);
    const url = `/stock/${sku}/movements`;
    expectProblem(await here.call('GET', url, { key: callers.customer }), 403, 'forbidden');
    expectProblem(await here.call('GET', url, { key: callers.rival }), 404, 'stock_not_found');
    expectProblem(await here.call('GET', `${url}?cursor=first`), 400, 'validation_failed');
  });
});

describe('R33 GET /stock with a filter', () => {
  it('shows only SKUs with few free pieces, page by page', async () => {
    const few = [await newStock(1, 'low-a'), await newStock(0, 'low-c'), await newStock(2, 'low-d')];
    await newStock(9, 'low-b');
    const seen: string[] = [];
    for (let query = 'cursor=low-'; query;) {
      const answer = await there.call('GET', `/stock?below=3&limit=2&${query}`);
      const { items, next } = answer.json<{ items: { sku: string }[]; next: string | null }>();
      seen.push(...items.map(({ sku }) => sku).filter((sku) => sku.startsWith('low-')));
      query = next ? `cursor=${next}` : '';
    }
    expect(seen).toEqual(few);
    expectProblem(await here.call('GET', '/stock?below=many'), 400, 'validation_failed');
  });

  it('shows the SKUs that are named, on one page, and leaves out what is not there', async () => {
    const [one, other] = [await newStock(1, 'named-a'), await newStock(2, 'named-b')];
    const answer = await there.call('GET', `/stock?limit=1&skus=${other},${newSku()},${one}`);
    expect(answer.json()).toMatchObject({ items: [{ sku: one }, { sku: other }], next: null });
    const tooMany = Array.from({ length: 101 }, (_, nth) => `s${nth}`).join(',');
    for (const skus of [tooMany, 'a,,b', 'a b', ''])
      expectProblem(await here.call('GET', `/stock?skus=${encodeURIComponent(skus)}`), 400, 'validation_failed');
  });
});

async function newStock(onHand: number, sku = newSku()): Promise<string> {
  expect((await here.put(sku, onHand)).statusCode).toBe(201);
  return sku;
}

const statusesOf = (answers: readonly Answer[]): number[] => answers.map(({ statusCode }) => statusCode).sort();

/** R37: all numbers of all SKUs agree with movements, reservations and the queue. */
async function expectBooksToBalance(): Promise<void> {
  const { items } = (await there.call('GET', '/stock-checks?limit=200')).json<{ items: { ok: boolean }[] }>();
  expect(items.filter(({ ok }) => !ok)).toEqual([]);
}
