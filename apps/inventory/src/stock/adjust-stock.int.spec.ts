/** A repeat of `POST /stock/{sku}/adjustments` after the ledger has forgotten it, through two instances on one database. */
import { randomUUID } from 'node:crypto';
import { useStack } from '@shop/testing';
import { type Answer, callers, expectProblem, InventoryApp, newSku } from '../../testing/inventory-app';

const stack = useStack();
const broken = { delta: -2, reason: 'broken' };
let here: InventoryApp;
let there: InventoryApp;

beforeAll(async () => {
  [here, there] = await Promise.all([InventoryApp.start(stack), InventoryApp.start(stack)]);
});
afterAll(() => Promise.all([here.close(), there.close()]));

describe('R20 after its key has expired', () => {
  it('R34 a repeat is told that it was submitted, and where to look, and takes nothing', async () => {
    const { sku, key } = await adjustedAndForgotten();
    const repeat = await there.adjust(sku, broken, key);
    expectAlreadySubmitted(repeat, sku);
    expect(await here.movementsOf(sku)).toEqual([3, -2]);
    const again = await here.adjust(sku, broken, key);
    expect([again.body, again.headers['idempotent-replayed']]).toEqual([repeat.body, 'true']);
  });

  it('R34 a repeat is told so even where the adjustment could not be made any more', async () => {
    const { sku, key } = await adjustedAndForgotten();
    expect((await here.get(sku)).json()).toMatchObject({ onHand: 1 });
    expectAlreadySubmitted(await here.adjust(sku, broken, key), sku);
  });

  it('R16 twenty repeats at once, through two instances, are told alike', async () => {
    const { sku, key } = await adjustedAndForgotten();
    const repeats = await Promise.all(
      Array.from({ length: 20 }, (_, index) => (index % 2 ? here : there).adjust(sku, broken, key)),
    );
    for (const repeat of repeats) expectAlreadySubmitted(repeat, sku);
    expect(await here.movementsOf(sku)).toEqual([3, -2]);
  });

  it('R16 fresh requests under one key, at once and through two instances, are replays and not repeats', async () => {
    for (let round = 0; round < 5; round++) {
      const [sku, key] = [newSku(), randomUUID()];
      await here.put(sku, 3);
      const answers = await Promise.all([here, there, here, there].map((app) => app.adjust(sku, broken, key)));
      expect(new Set(answers.map(({ statusCode, body }) => `${statusCode} ${body}`)).size).toBe(1);
      expect(answers[0]!.statusCode).toBe(201);
    }
  });

  it('R14 another request under the key is still another request, for another SKU too', async () => {
    const { sku, key } = await adjustedAndForgotten();
    const other = newSku();
    await here.put(other, 9);
    for (const [target, body] of [
      [sku, { delta: -1, reason: 'broken' }],
      [sku, { delta: -2, reason: 'stolen' }],
      [other, broken],
    ] as const) {
      expectProblem(await here.adjust(target, body, key), 409, 'idempotency_key_reused');
    }
    expect([await here.movementsOf(sku), await here.movementsOf(other)]).toEqual([[3, -2], [9]]);
    expectAlreadySubmitted(await here.adjust(sku, broken, key), sku);
  });

  it('R15 the equal key of another principal adjusts on its own', async () => {
    const { sku, key } = await adjustedAndForgotten();
    expect((await here.adjust(sku, { delta: 1, reason: 'found' }, key, callers.second)).statusCode).toBe(201);
    expect(await here.movementsOf(sku)).toEqual([3, -2, 1]);
  });
});

async function adjustedAndForgotten(): Promise<{ sku: string; key: string }> {
  const [sku, key] = [newSku(), randomUUID()];
  await here.put(sku, 3);
  expect((await here.adjust(sku, broken, key)).statusCode).toBe(201);
  await here.query('delete from ledger where key = $1', [key]);
  return { sku, key };
}

function expectAlreadySubmitted(answer: Answer, sku: string): void {
  expectProblem(answer, 409, 'already_submitted', { statusUrl: `/stock/${sku}` });
  expect(answer.headers['location']).toBe(`/stock/${sku}`);
}
