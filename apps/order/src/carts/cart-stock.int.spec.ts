/** What is short of a cart, with an inventory that answers, is wrong, or is away. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { useStack } from '@shop/testing';
import { cartBody, Carts, newCartId } from '../../testing/cart-client';
import { callers, OrderApp } from '../../testing/order-app';

const stack = useStack();
let server: Server;
let carts: Carts;
let asked: IncomingMessage[] = [];
let answer: (response: ServerResponse) => void;

const items = ['cup', 'pot', 'tea'].map((sku) => ({ sku, quantity: 2 }));
const stocks = {
  items: [
    { sku: 'cup', available: 0, orderable: 1 },
    { sku: 'pot', available: 5 },
  ],
  next: null,
};

beforeAll(async () => {
  server = createServer((request, response) => {
    asked.push(request);
    answer(response);
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  const env = { INVENTORY_URL: `http://127.0.0.1:${port}`, NEIGHBOUR_KEY: 'a-key-of-the-order-service' };
  carts = new Carts(await OrderApp.start(stack, env));
  for (const { sku } of items) await carts.app.putProduct(sku, 1_000);
});
beforeEach(() => {
  asked = [];
  answer = (response) => void response.setHeader('content-type', 'application/json').end(JSON.stringify(stocks));
});
afterAll(async () => {
  await carts.app.close();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

describe('the stock of a cart', () => {
  it('is asked for in one question for the tenant, and tells of each line what is missing', async () => {
    const made = await carts.put(newCartId(), cartBody(1, { items }));
    expect(made.json()).toMatchObject({
      items: [
        { sku: 'cup', available: 1, short: 1 },
        { sku: 'pot', available: 5 },
        { sku: 'tea', available: 0, short: 2 },
      ],
      short: [
        { sku: 'cup', requested: 2, available: 1 },
        { sku: 'tea', requested: 2, available: 0 },
      ],
      degraded: [],
    });
    expect(made.json<{ items: object[] }>().items[1]).not.toHaveProperty('short');
    expect(asked.map(({ url, headers }) => [url, headers['shop-tenant']])).toEqual([
      ['/stock?skus=cup%2Cpot%2Ctea&limit=3', 'acme'],
    ]);
  });

  it('is not asked for when there is nothing to show: 304, a refusal, an empty cart', async () => {
    const id = newCartId();
    await carts.put(id, cartBody(1, { items: [] }));
    await carts.get(id, { headers: { 'if-none-match': '"1"' } });
    await carts.put(id, cartBody(2));
    await carts.get(id, { key: callers.bob });
    expect(asked).toEqual([]);
  });

  it.each<[string, typeof answer]>([
    ['breaks off', (response) => response.destroy()],
    ['fails', (response) => void response.writeHead(500).end()],
    ['tells nonsense', (response) => void response.end('{"items":7}')],
  ])('is missing when inventory %s, and the rest of the cart is there', async (_, wrong) => {
    answer = wrong;
    const made = await carts.put(newCartId(), cartBody(1, { items }));
    expect(made.statusCode).toBe(201);
    expect(made.json()).toMatchObject({ total: { amount: 6_000 }, short: [], degraded: ['stock'] });
    expect(made.json<{ items: object[] }>().items[0]).not.toHaveProperty('available');
  });
});
