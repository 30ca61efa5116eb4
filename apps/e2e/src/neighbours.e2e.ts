/** One tenant sends more than a slow provider can take. Another one must not notice. */
import { ApiClient, createWorkload, inParallel, type Posting, seed } from '@shop/system';
import { type Order, Shop } from './shop';
import { queryIn } from './tables';

const NEIGHBOUR_KEY = 'neighbour-key';
const START_TIMEOUT_MS = 60_000;
const TIMEOUT_MS = 120_000;
/** With 64 calls at once, these take about nine seconds. */
const FLOOD = 600;
const PROVIDER_DELAY_MS = 1_000;
const OPEN_PER_TENANT = 300;

describe('two tenants side by side', () => {
  let shop: Shop;
  let neighbour: ApiClient;
  const flood = createWorkload({ orders: FLOOD, seed: 11, skus: 20, declined: 0, outOfStock: 0, repeated: 0 });

  beforeAll(async () => {
    shop = await Shop.open(flood.products, {
      env: {
        API_KEYS: `dev-key=demo/developer:customer+operator+platform,${NEIGHBOUR_KEY}=neighbour/nora:customer+operator`,
        MAX_OPEN_ORDERS_PER_TENANT: String(OPEN_PER_TENANT),
      },
    });
    neighbour = new ApiClient(shop.system.urls.order, NEIGHBOUR_KEY);
    await seed(neighbour, new ApiClient(shop.system.urls.inventory, NEIGHBOUR_KEY), flood.products);
    await shop.sandbox.put('/admin/faults', { delayMs: PROVIDER_DELAY_MS });
  }, START_TIMEOUT_MS);

  afterAll(() => shop?.close());

  // In the database, at one moment: the pages of a list are read at several, and orders end meanwhile.
  const openOrders = async (): Promise<number> => {
    const text = `select count(*)::int as open from orders where tenant = 'demo' and status = 'pending'`;
    return (await queryIn<{ open: number }>(shop, 'order', text))[0]!.open;
  };

  it(
    'R45 R54 takes what can be carried out, in turn, and charges nobody to give the money back',
    async () => {
      const answers: Record<number, number> = {};
      const insist = async (posting: Posting): Promise<void> => {
        const { status, headers } = await shop.order.post('/orders', posting.body, posting.key);
        answers[status] = (answers[status] ?? 0) + 1;
        if (status === 201) return;
        expect([status, headers.get('retry-after')]).toEqual([429, '1']);
        return insist(posting);
      };
      const flooding = inParallel(flood.postings, FLOOD, insist);
      let most = 0;
      const isSomebodyWaiting = async () => {
        const open = await openOrders();
        most = Math.max(most, open);
        return open;
      };
      while ((await isSomebodyWaiting()) < OPEN_PER_TENANT) continue;
      for (const { body, key } of flood.postings.slice(0, 3)) {
        const placed = await neighbour.post<Order>('/orders', body, key);
        expect(placed.status).toBe(201);
        const { body: order } = await neighbour.get<Order>(`/orders/${placed.body.id}`, { prefer: 'wait=30' });
        expect(order.status).toBe('confirmed');
        // It has not waited for those who came before.
        expect(await isSomebodyWaiting()).toBeGreaterThan(0);
      }
      await flooding;
      expect(answers[201]).toBe(FLOOD);
      expect(most).toBeLessThanOrEqual(OPEN_PER_TENANT);
      await inParallel(await shop.order.all<Order>('/orders'), 16, ({ id }) => shop.settled(id));
      const books = await shop.books({ neighbours: [new ApiClient(shop.system.urls.fulfilment, NEIGHBOUR_KEY)] });
      expect([books.faults, books.confirmed]).toEqual([[], FLOOD]);
      const { body } = await shop.sandbox.get<{ charges: { refunded: number }[] }>('/admin/charges');
      expect(body.charges.map(({ refunded }) => refunded)).toEqual(Array(FLOOD + 3).fill(0));
    },
    TIMEOUT_MS,
  );
});
