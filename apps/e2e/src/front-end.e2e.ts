/** What a shop's front end does in one visit, from the search to the erasure, as one customer against the whole system. */
import { randomUUID } from 'node:crypto';
import { ApiClient, catalogue, DEVELOPMENT_KEY } from '@shop/system';
import { Shop } from './shop';

const TIMEOUT_MS = 120_000;
const CARL = 'key-of-carl';
const CLEO = 'key-of-cleo';
const PAGE_KEYS = [
  `${DEVELOPMENT_KEY}=demo/developer:customer+operator+admin+platform`,
  `${CARL}=demo/carl:customer`,
  `${CLEO}=demo/cleo:customer`,
];

interface Money {
  amount: number;
  currency: string;
}
interface Product {
  sku: string;
  unitPrice: Money;
}
interface Cart {
  status: string;
  items: { sku: string; quantity: number; available?: number }[];
  promotions: { code: string; applies: boolean }[];
  subtotal: Money;
  discount: Money;
  total: Money;
  short: unknown[];
  degraded: string[];
  orderId?: string;
}
interface Order {
  id: string;
  status: string;
  total: Money;
}
interface Reservation {
  id: string;
  status: string;
}
interface Screen {
  order: Order;
  progress: { status: string; percent: number; text: string };
  payment: { status: string } | null;
  reservation: { status: string } | null;
  degraded: string[];
}

const EUR = (amount: number): Money => ({ amount, currency: 'EUR' });

describe('R35 one visit of a front end', () => {
  let shop: Shop;
  let carl: Record<'order' | 'inventory', ApiClient>;
  let cleo: ApiClient;
  const cart = `/carts/${randomUUID()}`;
  const code = 'SPRING-10';
  let etag: string;
  let reservation: Reservation;
  let order: Order;

  beforeAll(async () => {
    shop = await Shop.open(catalogue, { env: { API_KEYS: PAGE_KEYS.join(',') } });
    const { urls } = shop.system;
    carl = { order: new ApiClient(urls.order, CARL), inventory: new ApiClient(urls.inventory, CARL) };
    cleo = new ApiClient(urls.order, CLEO);
    expect((await shop.order.put(`/promotions/${code}`, { kind: 'percent', percent: 10 })).status).toBe(201);
  }, TIMEOUT_MS);
  afterAll(() => shop?.close());

  /** What the cart is told to be, and its version for the next change. */
  const remember = <Body>(answer: { headers: Headers; body: Body }): Body => {
    etag = answer.headers.get('etag')!;
    return answer.body;
  };
  const stockOf = async (sku: string) =>
    (await carl.inventory.get<{ onHand: number; reserved: number }>(`/stock/${sku}`)).body;

  it('finds a product, and asks for it again without loading it again', async () => {
    const found = await carl.order.get<{ items: Product[] }>('/products?q=ESPRESSO');
    expect(found.body.items.map(({ sku }) => sku)).toEqual(['cup']);
    const first = await carl.order.get<Product>('/products/cup');
    expect(first.headers.get('cache-control')).toBe('private, no-cache');
    const again = await carl.order.get('/products/cup', { 'if-none-match': first.headers.get('etag')! });
    expect(again.status).toBe(304);
  });

  it('fills a cart, and sees prices and what is there', async () => {
    const body = { customerId: 'carl', items: [{ sku: 'cup', quantity: 1 }] };
    const made = await carl.order.put<Cart>(cart, body, { 'if-none-match': '*' });
    expect(made.status).toBe(201);
    expect(remember(made)).toMatchObject({ status: 'open', subtotal: EUR(1_200), total: EUR(1_200), degraded: [] });
    const items = [
      { sku: 'cup', quantity: 2 },
      { sku: 'grinder', quantity: 1 },
    ];
    const headers = { 'if-match': etag, 'content-type': 'application/merge-patch+json' };
    const changed = await carl.order.send<Cart>('PATCH', cart, { body: { items }, headers });
    expect(changed.status).toBe(200);
    expect(remember(changed)).toMatchObject({ subtotal: EUR(11_300), short: [], items: [{ available: 1_000 }, {}] });
    // Another tab has the old version.
    const stale = await carl.order.send('PATCH', cart, { body: { items: [] }, headers });
    expect(stale.status).toBe(412);
    expect(stale.headers.get('etag')).toBe(etag);
  });

  it('takes a promotion once, however often it is pressed', async () => {
    const presses = await Promise.all(
      Array.from({ length: 5 }, () => carl.order.put(`${cart}/promotions/${code}`, undefined)),
    );
    expect(presses.map(({ status }) => status).sort()).toEqual([200, 200, 200, 200, 201]);
    const shown = remember(await carl.order.get<Cart>(cart));
    expect(shown).toMatchObject({ discount: EUR(1_130), total: EUR(10_170), promotions: [{ code, applies: true }] });
  });

  it('is seen by nobody else', async () => {
    expect((await cleo.get(cart)).status).toBe(404);
    expect((await cleo.put(cart, { customerId: 'cleo', items: [] })).status).toBe(409);
  });

  it('holds the pieces while the customer types in the address', async () => {
    const lines = [
      { sku: 'cup', quantity: 2 },
      { sku: 'grinder', quantity: 1 },
    ];
    const held = await carl.inventory.post<Reservation>('/reservations', { lines, customerId: 'carl' }, randomUUID());
    expect(held.status).toBe(201);
    reservation = held.body;
    expect(await stockOf('grinder')).toMatchObject({ onHand: 25, reserved: 1 });
  });

  it('orders the cart for the price that was shown, once', async () => {
    const body = { cartId: cart.split('/').at(-1), reservationId: reservation.id, payment: { source: 'tok_ok' } };
    const wrong = await carl.order.post<{ code: string; total: Money }>(
      '/orders',
      { ...body, expectedTotal: EUR(9_999) },
      randomUUID(),
    );
    expect(wrong).toMatchObject({ status: 409, body: { code: 'price_changed', total: EUR(10_170) } });
    const key = randomUUID();
    const placed = await carl.order.post<Order>('/orders', { ...body, expectedTotal: EUR(10_170) }, key);
    expect(placed).toMatchObject({ status: 201, body: { total: EUR(10_170) } });
    order = placed.body;
    const again = await carl.order.post<Order>('/orders', { ...body, expectedTotal: EUR(10_170) }, key);
    expect(again.text).toBe(placed.text);
    const other = await carl.order.post<{ code: string; statusUrl: string }>('/orders', body, randomUUID());
    expect(other.body).toMatchObject({ code: 'already_submitted', statusUrl: `/orders/${order.id}` });
    expect((await carl.order.get<Cart>(cart)).body).toMatchObject({ status: 'ordered', orderId: order.id });
  });

  it('waits for the end, and shows it on one screen', async () => {
    const settled = await carl.order.get<Order>(`/orders/${order.id}`, { prefer: 'wait=30' });
    expect(settled.body.status).toBe('confirmed');
    const { body: screen } = await carl.order.get<Screen>(`/orders/${order.id}/view`);
    expect(screen).toMatchObject({
      order: { id: order.id, status: 'confirmed' },
      progress: { percent: 100 },
      payment: { status: 'succeeded' },
      reservation: { status: 'confirmed' },
      degraded: [],
    });
    expect(await stockOf('grinder')).toMatchObject({ onHand: 24, reserved: 0 });
    const taken = await carl.inventory.get<Reservation>(`/reservations/${reservation.id}`);
    expect(taken.body.status).toBe('taken');
  });

  it('cancels it, and all is as it was', async () => {
    expect((await carl.order.send('DELETE', `/orders/${order.id}`)).status).toBe(204);
    const settled = await carl.order.get<Order>(`/orders/${order.id}`, { prefer: 'wait=30' });
    expect(settled.body.status).toBe('cancelled');
    expect(await stockOf('grinder')).toMatchObject({ onHand: 25, reserved: 0 });
    expect((await shop.order.get<{ used: number }>(`/promotions/${code}`)).body.used).toBe(0);
    expect((await shop.books()).faults).toEqual([]);
  });

  it('keeps a profile, and is erased', async () => {
    const path = '/profiles/carl';
    const profile = { displayName: 'Carl', email: 'carl@example.org', locale: 'en' };
    const made = await carl.order.put(path, profile);
    expect(made.status).toBe(201);
    const headers = { 'if-match': made.headers.get('etag')!, 'content-type': 'application/merge-patch+json' };
    const patched = await carl.order.send<typeof profile>('PATCH', path, { body: { displayName: 'Carl C.' }, headers });
    expect(patched).toMatchObject({ status: 200, body: { ...profile, displayName: 'Carl C.' } });
    const erased = await carl.order.send<{ erased: string[] }>('DELETE', path);
    expect(erased.status).toBe(200);
    expect(erased.body.erased).not.toEqual([]);
    expect((await carl.order.get(path)).status).toBe(404);
    expect((await carl.order.get(cart)).status).toBe(404);
    const { body } = await shop.order.get<{ customerId: string }>(`/orders/${order.id}`);
    expect(body.customerId).toBe('erased');
  });
});
