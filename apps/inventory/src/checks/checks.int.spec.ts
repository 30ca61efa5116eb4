/** The checks of stock and their repair, over HTTP through two instances, where a row was changed by hand. */
import { randomUUID } from 'node:crypto';
import { useStack } from '@shop/testing';
import { callers, expectProblem, InventoryApp, linesOf, newSku } from '../../testing/inventory-app';

const stack = useStack();
let here: InventoryApp;
let there: InventoryApp;

beforeAll(async () => {
  [here, there] = await Promise.all([InventoryApp.start(stack), InventoryApp.start(stack)]);
});
afterAll(() => Promise.all([here.close(), there.close()]));

const repair = (sku: string, { key = callers.operator, idempotencyKey = randomUUID() } = {}) =>
  here.call('POST', `/stock/${sku}/repairs`, {
    key,
    body: { reason: 'changed by hand' },
    headers: { 'idempotency-key': idempotencyKey },
  });

describe('GET /stock-checks', () => {
  it('R33 tells of each SKU, page by page, that its numbers agree', async () => {
    const skus = [await newCase('a'), await newCase('b'), await newCase('c')];
    const seen: string[] = [];
    for (let cursor: string | null = 'checked-'; cursor !== null;) {
      const url = `/stock-checks?limit=2&cursor=${cursor}`;
      const page: Page = (await there.call('GET', url)).json<Page>();
      for (const { sku, ok } of page.items.filter(({ sku }) => skus.includes(sku))) if (ok) seen.push(sku);
      cursor = page.next;
    }
    expect(seen).toEqual(skus);
  });

  it('finds what was changed by hand: what is on hand, reserved, awaited, and at a location', async () => {
    for (const change of [
      'update stock set on_hand = on_hand + 1 where sku = $1',
      'update stock set reserved = reserved - 1 where sku = $1',
      'update stock set awaited = awaited + 1 where sku = $1',
      'update stock_place set on_hand = on_hand + 1 where sku = $1',
      `update stock_place set reserved = reserved - 1 where sku = $1 and place = 'main'`,
      'delete from backorder where sku = $1',
      'delete from stock_movement where sku = $1 and delta > 0',
    ]) {
      const sku = await newCase();
      expect(await checkOf(sku)).toMatchObject({ ok: true });
      await here.query(change, [sku]);
      expect([change, await checkOf(sku)]).toEqual([change, expect.objectContaining({ ok: false })]);
    }
  });
});

describe('POST /stock/{sku}/repairs', () => {
  it('makes reserved and awaited pieces anew, and keeps an audit row', async () => {
    const sku = await newCase();
    const right = await checkOf(sku);
    await here.query('update stock set reserved = 1, awaited = 0 where sku = $1', [sku]);
    await here.query('update stock_place set reserved = 0 where sku = $1', [sku]);
    expect(await checkOf(sku)).toMatchObject({ ok: false });
    const repaired = await repair(sku);
    expect([repaired.statusCode, repaired.json()]).toEqual([201, right]);
    expect(await checkOf(sku)).toEqual(right);
    const audit = await here.query('select by, reason, before, after from stock_repair where sku = $1', [sku]);
    expect(audit).toEqual([
      {
        by: 'olga',
        reason: 'changed by hand',
        before: expect.objectContaining({ ok: false, reserved: 1 }) as unknown,
        after: right,
      },
    ]);
  });

  it('R12 is done once for its key', async () => {
    const sku = await newCase();
    const idempotencyKey = randomUUID();
    const first = await repair(sku, { idempotencyKey });
    const again = await repair(sku, { idempotencyKey });
    expect([again.statusCode, again.body, again.headers['idempotent-replayed']]).toEqual([201, first.body, 'true']);
    expect(await here.query('select 1 from stock_repair where sku = $1', [sku])).toHaveLength(1);
  });

  it('makes anew what customers hold', async () => {
    const sku = newSku();
    await here.put(sku, 9);
    await here.putPolicy(sku, { customerLimit: 3 });
    expect((await here.reserve({ ...linesOf([sku, 2]), customerId: 'alice' })).statusCode).toBe(201);
    await here.query('update customer_holding set quantity = 0 where sku = $1', [sku]);
    expect((await repair(sku)).statusCode).toBe(201);
    const more = await there.reserve({ ...linesOf([sku, 2]), customerId: 'alice' });
    expectProblem(more, 409, 'customer_limit_reached', { limits: [{ sku, limit: 3, held: 2 }] });
  });

  it('does nothing where reservations hold more than is there', async () => {
    const sku = newSku();
    await here.put(sku, 5);
    await here.reserve(linesOf([sku, 4]));
    await here.query('update stock set on_hand = 1, reserved = 0 where sku = $1', [sku]);
    expectProblem(await repair(sku), 409, 'repair_impossible');
    expect(await here.query('select 1 from stock_repair where sku = $1', [sku])).toEqual([]);
  });

  it('R54 is for operators, and only of their own stock', async () => {
    const sku = await newCase();
    expectProblem(await repair(sku, { key: callers.customer }), 403, 'forbidden');
    expectProblem(await repair(sku, { key: callers.rival }), 404, 'stock_not_found');
  });
});

interface Page {
  items: { sku: string; ok: boolean }[];
  next: string | null;
}

/** A SKU with two locations, of which a reservation holds all pieces and awaits one more. */
async function newCase(name: string = randomUUID()): Promise<string> {
  const sku = `checked-${name}`;
  await here.put(sku, 2);
  await here.call('PUT', `/stock/${sku}/locations/berlin`, { body: { onHand: 3 } });
  await here.putPolicy(sku, { backorderLimit: 4 });
  const made = await here.reserve(linesOf([sku, 6]));
  expect(made.json()).toMatchObject({ awaited: [{ sku, quantity: 1 }] });
  return sku;
}

async function checkOf(sku: string) {
  const { items } = (await there.call('GET', '/stock-checks?limit=200&cursor=checked-')).json<Page>();
  return items.find((item) => item.sku === sku);
}
