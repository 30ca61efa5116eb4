/** A key that `npm run ops` adds is good in the whole system, sees its own orders, and ends everywhere when it is revoked. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ApiClient, catalogue, ownServices, type ServiceName } from '@shop/system';
import { eventually } from '@shop/testing';
import { Shop } from './shop';

const TIMEOUT_MS = 120_000;
const pathOf: Partial<Record<ServiceName, string>> = {
  order: '/orders',
  inventory: '/stock',
  payment: '/payments',
  fulfilment: '/notifications',
};
const forOperators: readonly ServiceName[] = ['payment', 'fulfilment'];
const script = join(__dirname, '../../../tools/start.cjs');

describe('R54 an API key of a running system', () => {
  let shop: Shop;
  beforeAll(async () => {
    shop = await Shop.open(catalogue);
  }, TIMEOUT_MS);
  afterAll(() => shop?.close());

  async function ops(...argv: string[]): Promise<string> {
    const env = shop.operatorsEnvironment();
    return (await promisify(execFile)(process.execPath, [script, 'ops', 'keys', ...argv], { env })).stdout;
  }

  async function newKey(principal: string): Promise<string> {
    const shown = await ops('add', `${principal}-1`, '--principal', principal, '--roles', 'customer');
    return /shown only now: (\S+)/.exec(shown)![1]!;
  }

  it(
    'R54 places and sees its own orders, and is refused everywhere once it is revoked',
    async () => {
      const [carlKey, cleoKey] = [await newKey('carl'), await newKey('cleo')];
      const [carl, cleo] = [carlKey, cleoKey].map((key) => new ApiClient(shop.system.urls.order, key));
      const body = { customerId: 'carl', items: [{ sku: 'cup', quantity: 1 }], payment: { source: 'tok_ok' } };
      const { body: placed } = await carl!.post<{ id: string }>('/orders', body, 'first');
      const settled = await carl!.get<{ status: string }>(`/orders/${placed.id}`, { prefer: 'wait=30' });
      expect(settled.body.status).toBe('confirmed');
      expect((await cleo!.get(`/orders/${placed.id}`)).status).toBe(404);
      expect((await cleo!.send('DELETE', `/orders/${placed.id}`)).status).toBe(404);
      expect((await shop.order.get(`/orders/${placed.id}`)).status).toBe(200);
      expect(await ops('list')).toMatch(
        /^carl-1 +carl +customer +never +.* (inventory|order|payment|fulfilment) \S+ \S+$/m,
      );

      await ops('revoke', 'carl-1');
      for (const name of ownServices) {
        const url = shop.system.urls[name];
        const path = pathOf[name]!;
        await eventually(async () => expect((await new ApiClient(url, carlKey).get(path)).status).toBe(401));
        // Cleo's is as good as before; payments and mails are for operators.
        expect((await new ApiClient(url, cleoKey).get(path)).status).toBe(forOperators.includes(name) ? 403 : 200);
      }
      const text = JSON.stringify(shop.lines());
      for (const event of ['api_key.added', 'api_key.revoked']) expect(text).toContain(event);
      for (const key of [carlKey, cleoKey]) expect(text).not.toContain(key);
    },
    TIMEOUT_MS,
  );
});
