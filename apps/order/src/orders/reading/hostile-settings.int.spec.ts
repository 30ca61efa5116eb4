/** Orders in a database whose settings are those of nobody else. */
import { createTestDatabase, type TestDatabase, useStack } from '@shop/testing';
import { Client } from 'pg';
import type { Stack } from '@shop/stack';
import { OrderApp, type OrderJson, startOwnBroker } from '../../../testing/order-app';

const stack = useStack();
let broker: Stack;
let home: TestDatabase;
let app: OrderApp;

const settings = [
  `DateStyle = 'German'`,
  `IntervalStyle = 'iso_8601'`,
  `TimeZone = 'Asia/Kathmandu'`,
  `bytea_output = 'escape'`,
  `standard_conforming_strings = off`,
  `default_transaction_isolation = 'serializable'`,
  `search_path = 'elsewhere'`,
  `statement_timeout = '250ms'`,
];

beforeAll(async () => {
  broker = await startOwnBroker(stack);
  home = await createTestDatabase();
  const client = new Client({ connectionString: home.url });
  await client.connect();
  await client.query('create schema elsewhere');
  for (const setting of settings) await client.query(`alter database "${home.name}" set ${setting}`);
  await client.end();
  app = await OrderApp.start({ databaseUrl: home.url, natsUrl: broker.natsUrl });
  await app.putProduct('cup', 1_200);
});
afterAll(async () => {
  await app.close();
  await home.drop();
  await broker.stop();
});

it('R33 orders are placed, repeated, read and listed as in any other database', async () => {
  const placed = await app.place(undefined, { idempotencyKey: 'hostile' });
  expect(placed.statusCode).toBe(201);
  const order = placed.json<OrderJson>();
  const repeated = await app.place(undefined, { idempotencyKey: 'hostile' });
  expect(repeated.json()).toEqual(order);
  const listed = await app.get('/orders');
  expect(listed.statusCode).toBe(200);
  expect(listed.json<{ items: OrderJson[] }>().items).toMatchObject([{ id: order.id, createdAt: order.createdAt }]);
  expect((await app.get('/products')).statusCode).toBe(200);
  expect((await app.get(`/orders/${order.id}/saga`)).statusCode).toBe(200);
});
