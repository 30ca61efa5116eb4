/** Payment is away for longer than the provider remembers its keys. The sandbox forgets them on request. */
import { catalogue } from '@shop/system';
import { eventually } from '@shop/testing';
import { Shop } from './shop';

interface ChargeBody {
  idempotencyKey: string;
  amount: number;
  refunded: number;
}

const TIMEOUT_MS = 120_000;

let shop: Shop;

beforeAll(async () => {
  shop = await Shop.open(catalogue);
}, TIMEOUT_MS);
afterAll(() => shop?.close());

const charges = async () => (await shop.sandbox.get<{ charges: ChargeBody[] }>('/admin/charges')).body.charges;

/** An order that was charged and whose payment service has died before it was told. */
async function chargedInTheDark(): Promise<string> {
  const before = (await charges()).length;
  const { body } = await shop.place([{ sku: 'beans', quantity: 1 }], 'tok_timeout_once');
  await eventually(async () => expect(await charges()).toHaveLength(before + 1));
  await shop.system.services.payment.kill('SIGKILL');
  return body.id;
}

/** The provider forgets its keys, and payment comes back. */
async function comeBackLate(): Promise<void> {
  await shop.sandbox.send('DELETE', '/admin/keys');
  await shop.system.services.payment.start();
}

describe('R4 when payment comes back after the provider has forgotten its keys', () => {
  it(
    'the charge of an order that was cancelled meanwhile is found and given back, and no other one is made',
    async () => {
      const id = await chargedInTheDark();
      const before = await charges();
      expect((await shop.order.send('DELETE', `/orders/${id}`)).status).toBe(204);
      await comeBackLate();
      expect((await shop.settled(id)).body).toMatchObject({ status: 'cancelled' });
      const after = await charges();
      expect(after).toHaveLength(before.length);
      expect(after.at(-1)).toMatchObject({ refunded: after.at(-1)!.amount });
    },
    TIMEOUT_MS,
  );

  it(
    'the charge of an order that goes on is found, and the order is confirmed',
    async () => {
      const id = await chargedInTheDark();
      const before = await charges();
      await comeBackLate();
      expect((await shop.settled(id)).body).toMatchObject({ status: 'confirmed' });
      expect(await charges()).toEqual(before);
    },
    TIMEOUT_MS,
  );

  it('the books are exact', async () => {
    expect((await shop.books()).faults).toEqual([]);
  });
});
