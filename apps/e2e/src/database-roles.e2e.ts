/** What the roles of the services may do in the databases, and that the services need no more. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import {
  ApiClient,
  catalogue,
  createDatabaseRoles,
  type DatabaseRoles,
  DEVELOPMENT_KEY,
  ownServices,
  type ServiceName,
} from '@shop/system';
import { eventually } from '@shop/testing';
import { Client } from 'pg';
import { type Order, Shop } from './shop';

const TIMEOUT_MS = 120_000;
const DIST = join(__dirname, '../../../dist/apps');

describe('R54 the everyday role of a service', () => {
  let shop: Shop;
  const clients: Client[] = [];
  beforeAll(async () => {
    shop = await Shop.open(catalogue);
  }, TIMEOUT_MS);
  afterEach(() => Promise.all(clients.splice(0).map((client) => client.end())));
  afterAll(() => shop?.close());

  async function ask<Row>(url: string, text: string): Promise<Row[]> {
    const client = new Client({ connectionString: url });
    clients.push(client);
    await client.connect();
    return (await client.query(text)).rows as Row[];
  }
  const asEveryday = (name: ServiceName, text: string) => ask(shop.system.databaseRoles(name).everyday, text);
  const tables = { order: 'orders', inventory: 'stock', payment: 'payment', fulfilment: 'delivery' };
  const tableOf = tables as Record<ServiceName, string>;

  it(
    'R54 is enough for orders of every kind, and nothing is refused for want of a right',
    async () => {
      const placed = [
        await shop.place([{ sku: 'cup', quantity: 2 }]),
        await shop.place([{ sku: 'unicorn', quantity: 1 }]),
        await shop.place([{ sku: 'cup', quantity: 1 }], 'tok_declined'),
      ];
      const settled = await Promise.all(placed.map(({ body }) => shop.settled(body.id)));
      expect(settled.map(({ body }) => body.reason ?? body.status)).toEqual([
        'confirmed',
        'out_of_stock',
        'payment_declined',
      ]);
      await shop.order.send('DELETE', `/orders/${placed[0]!.body.id}`);
      await eventually(async () => expect((await shop.settled(placed[0]!.body.id)).body.status).toBe('cancelled'));
      expect((await shop.books()).faults).toEqual([]);
      for (const service of [shop.order, shop.inventory, shop.payment, shop.fulfilment]) {
        expect((await service.send('DELETE', '/idempotency-keys')).status).toBe(204);
        expect((await service.get('/dead-letters')).status).toBe(200);
      }
      expect(shop.lines().filter((line) => /permission denied|must be owner/.test(JSON.stringify(line)))).toEqual([]);
    },
    TIMEOUT_MS,
  );

  it.each(ownServices)('R54 is the one that %s works with, and it is no administrator', async (name) => {
    const { adminUrl } = shop.system.stack;
    const used = await ask(
      adminUrl,
      `select distinct usename from pg_stat_activity where application_name = 'shop-${name}'`,
    );
    expect(used).toEqual([{ usename: `${name}_service` }]);
    const [rights] = await ask(
      adminUrl,
      `select rolsuper or rolcreatedb or rolcreaterole or rolreplication or rolbypassrls as any,
              (select count(*)::int from pg_auth_members where member = r.oid) as memberships
       from pg_roles r where rolname = '${name}_service'`,
    );
    expect(rights).toEqual({ any: false, memberships: 0 });
  });

  it.each(ownServices)(
    'R54 of %s changes rows, and neither makes, changes, empties nor drops a table',
    async (name) => {
      const table = tableOf[name];
      await asEveryday(name, `delete from ${table} where false`);
      for (const [statement, refusal] of [
        ['create table mine (id int)', 'permission denied for schema public'],
        ['create temporary table mine (id int)', 'permission denied to create temporary tables'],
        ['create schema mine', 'permission denied for database'],
        [`drop table ${table}`, 'must be owner'],
        [`alter table ${table} add column mine int`, 'must be owner'],
        [`truncate ${table}`, 'permission denied for table'],
        [`create index on ${table} ((true))`, 'must be owner'],
        ['delete from migration', 'permission denied for table migration'],
        [`insert into migration (timestamp, name) values (1, 'mine')`, 'permission denied for table migration'],
        [`set role ${name}_migrator`, 'permission denied to set role'],
        [`copy (select 1) to program 'true'`, 'permission denied'],
      ] as const) {
        await expect(asEveryday(name, statement)).rejects.toThrow(refusal);
      }
    },
  );

  const strangers = ownServices.flatMap((name) => ownServices.filter((other) => other !== name).map((o) => [name, o]));
  it.each(strangers)(
    'R54 of %s does not come into the database of %s, nor does the one that migrates',
    async (...pair) => {
      const { everyday, migrator } = shop.system.databaseRoles(pair[0]!);
      for (const url of [everyday, migrator!]) {
        const there = Object.assign(new URL(url), { pathname: `/${pair[1]}` });
        await expect(ask(there.href, 'select 1')).rejects.toThrow('permission denied for database');
      }
    },
  );

  it(
    'R54 of order is handed on to a second login, whose replica does the same work',
    async () => {
      const { stack } = shop.system;
      await ask(stack.adminUrl, `create role order_service_2 login password 'Zq9-second' in role order_service`);
      const second = new URL(shop.system.databaseRoles('order').everyday);
      [second.username, second.password] = ['order_service_2', 'Zq9-second'];
      const replica = await shop.system.addReplica('order', {
        ORDER_DATABASE_URL: second.href,
        // An empty variable counts as absent.
        ORDER_MIGRATION_DATABASE_URL: '',
        MIGRATE: 'never',
      });
      const body = { customerId: 'alice', items: [{ sku: 'cup', quantity: 1 }], payment: { source: 'tok_ok' } };
      const placed = await new ApiClient(replica.url, DEVELOPMENT_KEY).post<Order>('/orders', body, 'second-login');
      expect((await shop.settled(placed.body.id)).body.status).toBe('confirmed');
      await expect(ask(second.href, 'drop table orders')).rejects.toThrow('must be owner');
      await replica.stop();
    },
    TIMEOUT_MS,
  );

  describe('R54 a service that does not migrate', () => {
    /** A database without tables, and two roles. */
    async function emptyDatabase(): Promise<DatabaseRoles> {
      const { stack } = shop.system;
      await ask(stack.adminUrl, 'create database fresh');
      return createDatabaseRoles(stack.databaseUrl('fresh'), 'fresh');
    }

    it(
      'R54 waits until a process of its own has migrated, and starts then without the role that owns the tables',
      async () => {
        const { everyday, migrator } = await emptyDatabase();
        const starting = shop.system.addReplica('inventory', {
          INVENTORY_DATABASE_URL: everyday,
          INVENTORY_MIGRATION_DATABASE_URL: '',
          MIGRATE: 'never',
        });
        await eventually(() =>
          expect(shop.lines()).toContainEqual(
            expect.objectContaining({
              event: 'database.waiting',
              pending: expect.arrayContaining([expect.stringContaining('Stock')]),
            }),
          ),
        );
        const step = spawn(process.execPath, [join(DIST, 'inventory', 'main.js')], {
          env: {
            PATH: process.env['PATH'],
            // The step needs the name of the role, and not its password.
            INVENTORY_DATABASE_URL: everyday.replace(/:[^:@/]+@/, '@'),
            INVENTORY_MIGRATION_DATABASE_URL: migrator!,
            NATS_URL: 'nats://127.0.0.1:1',
            API_KEYS: `${DEVELOPMENT_KEY}=demo/developer:operator`,
            MIGRATE: 'only',
          },
          stdio: 'ignore',
        });
        expect(await new Promise((resolve) => step.once('exit', resolve))).toBe(0);
        const replica = await starting;
        const inventory = new ApiClient(replica.url, DEVELOPMENT_KEY);
        expect((await inventory.put('/stock/cup', { onHand: 3 })).status).toBeLessThan(300);
        expect(await ask(everyday, 'select on_hand::int from stock')).toEqual([{ on_hand: 3 }]);
        await expect(ask(everyday, 'drop table stock')).rejects.toThrow('must be owner');
        await replica.stop();
      },
      TIMEOUT_MS,
    );
  });
});
