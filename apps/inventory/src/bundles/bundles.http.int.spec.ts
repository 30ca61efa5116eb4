/** Bundles over HTTP, through two instances of the whole app on one database. */
import { useStack } from '@shop/testing';
import { type Answer, callers, expectProblem, InventoryApp, linesOf, newSku } from '../../testing/inventory-app';

const stack = useStack();
let here: InventoryApp;
let there: InventoryApp;

beforeAll(async () => {
  [here, there] = await Promise.all([InventoryApp.start(stack), InventoryApp.start(stack)]);
});
afterAll(() => Promise.all([here.close(), there.close()]));

const componentsOf = (...parts: [sku: string, quantity: number][]) => ({
  components: parts.map(([sku, quantity]) => ({ sku, quantity })),
});
const putBundle = (sku: string, body: object, headers: Record<string, string> = {}) =>
  here.call('PUT', `/bundles/${sku}`, { body, headers });

describe('R27 PUT /bundles/{sku}', () => {
  it('creates a bundle, and converges, also when the components come in another order', async () => {
    const [set, cup, pot] = [newSku(), await newStock(9), await newStock(4)];
    const created = await putBundle(set, componentsOf([cup, 2], [pot, 1]));
    expect([created.statusCode, created.headers['etag']]).toEqual([201, '"1"']);
    const again = await putBundle(set, componentsOf([pot, 1], [cup, 2]));
    expect([again.statusCode, again.body]).toEqual([200, created.body]);
    expect((await there.call('GET', `/bundles/${set}`, { key: callers.customer })).body).toBe(created.body);
  });

  it('creates it once when ten come at the same time to two instances', async () => {
    const [set, cup] = [newSku(), await newStock(9)];
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, nth) =>
        (nth % 2 ? here : there).call('PUT', `/bundles/${set}`, { body: componentsOf([cup, 2]) }),
      ),
    );
    expect(answers.map(({ statusCode }) => statusCode).sort()).toEqual([...Array<number>(9).fill(200), 201]);
  });

  it('R28 changes the version that is named', async () => {
    const { set, cup } = await newBundle();
    const other = componentsOf([cup, 5]);
    expectProblem(await putBundle(set, other), 428, 'precondition_required');
    expectProblem(await putBundle(set, other, { 'if-match': '"7"' }), 412, 'precondition_failed');
    const changed = await putBundle(set, other, { 'if-match': '"1"' });
    expect([changed.statusCode, changed.json()]).toEqual([200, { sku: set, ...other, version: 2 }]);
  });

  it('refuses a SKU that has pieces, a bundle in a bundle either way, and components that are not there', async () => {
    const { set, cup } = await newBundle();
    expectProblem(await putBundle(await newStock(1), componentsOf([cup, 1]), { 'if-match': '*' }), 409, 'stock_exists');
    expectProblem(await putBundle(newSku(), componentsOf([set, 1])), 422, 'nested_bundle', { skus: [set] });
    const empty = await newStock(0);
    await putBundle(newSku(), componentsOf([empty, 1]));
    expectProblem(await putBundle(empty, componentsOf([cup, 1]), { 'if-match': '*' }), 422, 'nested_bundle');
    const itself = newSku();
    expectProblem(await putBundle(itself, componentsOf([itself, 1])), 422, 'nested_bundle');
    const nothing = newSku();
    expectProblem(await putBundle(newSku(), componentsOf([nothing, 1])), 422, 'unknown_sku', { skus: [nothing] });
    expectProblem(await putBundle(newSku(), componentsOf()), 400, 'validation_failed');
  });

  it('never nests two bundles that are made at the same time', async () => {
    for (let round = 0; round < 10; round++) {
      const [one, other, cup] = [await newStock(0), await newStock(0), await newStock(5)];
      const headers = { 'if-match': '*' };
      const answers = await Promise.all([
        here.call('PUT', `/bundles/${one}`, { body: componentsOf([other, 1]), headers }),
        there.call('PUT', `/bundles/${other}`, { body: componentsOf([cup, 1]), headers }),
      ]);
      expect(answers.map(({ statusCode }) => statusCode).sort()).toEqual([200, 422]);
    }
  });
});

describe('a bundle', () => {
  it('has as many pieces as its components make, and another ETag when they change', async () => {
    const { set, cup } = await newBundle({ cups: 9, pots: 4 });
    const seen = await here.get(set);
    expect(seen.json()).toMatchObject({ onHand: 0, available: 4, orderable: 4, components: [{}, {}] });
    await here.adjust(cup, { delta: -4, reason: 'broken' });
    const etag = String(seen.headers['etag']);
    const now = await there.get(set, { 'if-none-match': etag });
    expect([now.statusCode, now.json<{ available: number }>().available]).toEqual([200, 2]);
    const known = await there.get(set, { 'if-none-match': String(now.headers['etag']) });
    expect(known.statusCode).toBe(304);
  });

  it('is reserved by its components, all or none, and given back', async () => {
    const { set, cup, pot } = await newBundle({ cups: 9, pots: 4 });
    const made = await here.reserve(linesOf([set, 2], [cup, 1]));
    expect([made.statusCode, made.json()]).toMatchObject([201, linesOf([set, 2], [cup, 1])]);
    expect([await reservedOf(cup), await reservedOf(pot)]).toEqual([5, 2]);
    const refused = await there.reserve(linesOf([set, 3]));
    expectProblem(refused, 409, 'insufficient_stock');
    expect([await reservedOf(cup), await reservedOf(pot)]).toEqual([5, 2]);
    await here.release(made.json<{ id: string }>().id);
    expect([await reservedOf(cup), await reservedOf(pot)]).toEqual([0, 0]);
  });

  it('gives back what it has taken, also when its components have changed since', async () => {
    const { set, cup, pot } = await newBundle({ cups: 9, pots: 4 });
    const made = await here.reserve(linesOf([set, 2]));
    await putBundle(set, componentsOf([cup, 1]), { 'if-match': '*' });
    await there.release(made.json<{ id: string }>().id);
    expect([await reservedOf(cup), await reservedOf(pot)]).toEqual([0, 0]);
  });

  it('has no pieces to count, to adjust or to await', async () => {
    const { set } = await newBundle();
    expectProblem(await here.put(set, 5, { 'if-match': '*' }), 409, 'stock_is_bundle');
    expectProblem(await here.adjust(set, { delta: 5, reason: 'found' }), 409, 'stock_is_bundle');
    const at = await here.call('PUT', `/stock/${set}/locations/berlin`, { body: { onHand: 1 } });
    expectProblem(at, 409, 'stock_is_bundle');
    const policy = { body: { backorderLimit: 1, customerLimit: null }, headers: { 'if-match': '*' } };
    expectProblem(await here.call('PUT', `/stock/${set}/policy`, policy), 409, 'stock_is_bundle');
  });

  it('R29 is one no more when it is deleted, however often', async () => {
    const { set } = await newBundle();
    const remove = (headers: Record<string, string> = {}) => there.call('DELETE', `/bundles/${set}`, { headers });
    expectProblem(await remove({ 'if-match': '"7"' }), 412, 'precondition_failed');
    const answers: Answer[] = await Promise.all([remove(), remove(), remove({ 'if-match': '"1"' })]);
    expect(answers.map(({ statusCode }) => statusCode)).toEqual([204, 204, 204]);
    expectProblem(await here.call('GET', `/bundles/${set}`), 404, 'bundle_not_found');
    expect((await here.get(set)).json()).toMatchObject({ onHand: 0, available: 0 });
    expect((await here.call('DELETE', `/bundles/${newSku()}`)).statusCode).toBe(204);
  });
});

async function newStock(onHand: number): Promise<string> {
  const sku = newSku();
  expect((await here.put(sku, onHand)).statusCode).toBe(201);
  return sku;
}

async function newBundle({ cups = 9, pots = 4 } = {}): Promise<{ set: string; cup: string; pot: string }> {
  const [set, cup, pot] = [newSku(), await newStock(cups), await newStock(pots)];
  expect((await putBundle(set, componentsOf([cup, 2], [pot, 1]))).statusCode).toBe(201);
  return { set, cup, pot };
}

const reservedOf = async (sku: string) => (await there.get(sku)).json<{ reserved: number }>().reserved;
