/**
 * Tries every route of a service with every kind of caller that must not get in. The list of routes is that of the app,
 * so a new route without a line in the table of its service makes the test fail.
 */
import { createHash, randomUUID } from 'node:crypto';
import { type Role, routesOf, type RouteRoles, roles } from '@shop/http';
import { callersOf, type Method, type TestClient } from '@shop/http/testing';
import { eventually } from '@shop/testing';

/** One key for each role, and some that are of another tenant; the last one is that of a service. */
export const doorKeys = callersOf({
  customer: 'acme/carl:customer',
  operator: 'acme/olga:operator',
  admin: 'acme/ann:admin',
  platform: 'acme/paul:platform',
  root: 'acme/root:customer+operator+admin+platform',
  rival: 'rival/rita:customer+operator+admin',
  service: 'platform/order:service',
});

/** Both of those who order and those who look after it; and only the latter. */
export const everybody: Role[] = ['customer', 'operator'];
export const operators: Role[] = ['operator'];
const admins: Role[] = ['admin'];

export interface Door {
  /** Who is let in, said a second time, so that nobody widens it by mistake. */
  roles: Role[];
  /** The address of something of the tenant acme; that of the route, if not given. */
  url?: string;
  /** A body that the route takes, for those that have one. */
  body?: object;
  /** What somebody of another tenant gets. With `items` it is the number of items of a list. */
  rival: { status: number; items?: number };
}

/** By the route, such as `GET /orders/:id`. */
export type Doors = Record<string, Door>;

export function describeClosedDoors(open: () => Promise<{ client: TestClient; doors: Doors }>): void {
  let client: TestClient;
  let doors: Doors;
  let routes: RouteRoles[];

  beforeAll(async () => {
    ({ client, doors } = await open());
    routes = routesOf(client.app).filter(({ isPublic }) => !isPublic);
  });
  afterAll(() => client.close());

  /** The answers of all routes. */
  async function tryAll(
    key: string | null,
    address: (route: RouteRoles) => string,
    more: Record<string, string> = {},
  ): Promise<Record<string, string>> {
    const tried: Record<string, string> = {};
    for (const route of routes) {
      const headers = { ...more, ...(route.method === 'POST' && { 'idempotency-key': randomUUID() }) };
      const { body } = doors[nameOf(route)]!;
      const answer = await client.call(route.method as Method, address(route), { key, body, headers });
      const code = answer.statusCode >= 400 ? ` ${answer.json<{ code: string }>().code}` : '';
      tried[nameOf(route)] = `${answer.statusCode}${code}`;
    }
    return tried;
  }
  /**
   * Whoever is let in finds nothing there, so that nothing is done. It has the question of the line in the table: a stream of
   * a whole tenant ends only when it is told to.
   */
  const addressOfNothing = (route: RouteRoles): string => {
    const [, question] = (doors[nameOf(route)]?.url ?? '').split('?');
    const address = route.path.replace(/:\w+/g, () => randomUUID());
    return question === undefined ? address : `${address}?${question}`;
  };
  const urlOf = (route: RouteRoles): string => doors[nameOf(route)]!.url ?? route.path;
  const allAre = (expected: string) => Object.fromEntries(routes.map((route) => [nameOf(route), expected]));

  /** A key that was good. Then this is done to it. */
  async function spoiled(change: string): Promise<string> {
    const [id, key] = [randomUUID(), randomUUID()];
    const sha256 = createHash('sha256').update(key).digest('hex');
    const body = { sha256, principal: 'carl', roles: ['customer', 'operator', 'admin'] };
    const url = `/api-keys/${id}`;
    expect((await client.call('PUT', url, { key: doorKeys.callers.root, body })).statusCode).toBe(201);
    expect((await client.call('GET', '/api-keys', { key })).statusCode).toBe(200);
    await client.query(`update api_key set ${change} where id = $1`, [id]);
    await client.query('update api_key_change set count = count + 1');
    await eventually(async () => expect((await client.call('GET', '/api-keys', { key })).statusCode).toBe(401));
    return key;
  }

  describe('R54 every route', () => {
    it('R54 has a line in this table, with its roles', () => {
      const said = Object.fromEntries(Object.entries(doors).map(([name, { roles }]) => [name, roles]));
      expect(Object.fromEntries(routes.map((route) => [nameOf(route), route.roles]))).toEqual(said);
    });

    it.each<[string, () => Promise<string | null>]>([
      ['no key', async () => null],
      ['an unknown key', async () => 'unknown'],
      ['an expired key', () => spoiled(`expires_at = now() - interval '1 second'`)],
      ['a revoked key', () => spoiled(`revoked_at = now(), revoked_by = 'acme/root'`)],
    ])('R54 is closed to a caller with %s', async (_, keyFor) => {
      expect(await tryAll(await keyFor(), urlOf)).toEqual(allAre('401 unauthenticated'));
    });

    it.each(roles)('R54 is open to the role %s only where it says so', async (role) => {
      const tried = await tryAll(doorKeys.callers[role], addressOfNothing);
      const closed = routes.filter((route) => !route.roles!.includes(role)).map(nameOf);
      const refused = Object.entries(tried).filter(([, answer]) => /^(401|403 forbidden)/.test(answer));
      expect(refused).toEqual(closed.map((route) => [route, '403 forbidden']));
    });

    it('R54 is open to a service key where an operator reads, and nowhere else', async () => {
      const tried = await tryAll(doorKeys.callers.service, addressOfNothing, { 'shop-tenant': 'acme' });
      const closed = routes.filter(({ method, roles }) => method !== 'GET' || !roles!.includes('operator')).map(nameOf);
      const refused = Object.entries(tried).filter(([, answer]) => /^(401|403|400 shop_tenant)/.test(answer));
      expect(refused).toEqual(closed.map((route) => [route, '403 forbidden']));
      const nameless = Object.entries(await tryAll(doorKeys.callers.service, addressOfNothing));
      expect(nameless.filter(([, answer]) => !/^(403 forbidden|400 shop_tenant_invalid)$/.test(answer))).toEqual([]);
    });

    it('R54 shows and does nothing of another tenant', async () => {
      const tried: Record<string, object> = {};
      for (const route of routes) {
        const headers: Record<string, string> = route.method === 'POST' ? { 'idempotency-key': randomUUID() } : {};
        const { body, rival } = doors[nameOf(route)]!;
        const call = { key: doorKeys.callers.rival, body, headers };
        const answer = await client.call(route.method as Method, urlOf(route), call);
        const items = rival.items === undefined ? {} : { items: answer.json<{ items: unknown[] }>().items.length };
        tried[nameOf(route)] = { status: answer.statusCode, ...items };
      }
      expect(tried).toEqual(Object.fromEntries(Object.entries(doors).map(([route, { rival }]) => [route, rival])));
    });
  });
}

const nameOf = ({ method, path }: RouteRoles): string => `${method} ${path}`;

/** Of whomever: nobody else may find it. */
const batchUrl = '/dead-letter-batches/01a20621-a6cd-74b9-a1c3-459d717a98c4';

/** The lines of the routes that every service has. A dead letter is that of `letterUrl`. */
export const commonDoors = (letterUrl: string): Doors => ({
  'GET /idempotency-keys/:key': { roles: everybody, url: '/idempotency-keys/any', rival: { status: 404 } },
  'DELETE /idempotency-keys': { roles: operators, rival: { status: 204 } },
  'GET /dead-letters': { roles: operators, rival: { status: 200, items: 0 } },
  'GET /dead-letters/groups': { roles: operators, rival: { status: 200 } },
  'GET /dead-letters/:id': { roles: operators, url: letterUrl, rival: { status: 404 } },
  'POST /dead-letters/:id/replay': {
    roles: operators,
    url: `${letterUrl}/replay`,
    body: { reason: 'x' },
    rival: { status: 404 },
  },
  'POST /dead-letters/:id/discard': {
    roles: operators,
    url: `${letterUrl}/discard`,
    body: { reason: 'x' },
    rival: { status: 404 },
  },
  'GET /ledger-entries': {
    roles: ['operator', 'platform'],
    url: '/ledger-entries?ids=any',
    rival: { status: 200, items: 0 },
  },
  'GET /dead-letter-batches': { roles: operators, rival: { status: 200, items: 0 } },
  'POST /dead-letter-batches': {
    roles: operators,
    body: {
      act: 'discard',
      reason: 'x',
      filter: { state: 'open', mailbox: 'cmd.none' },
      expected: 1,
      ratePerSecond: 1,
    },
    rival: { status: 409 },
  },
  'GET /dead-letter-batches/:id': { roles: operators, url: batchUrl, rival: { status: 404 } },
  'GET /dead-letter-batches/:id/rows': { roles: operators, url: `${batchUrl}/rows`, rival: { status: 404 } },
  'DELETE /dead-letter-batches/:id': { roles: operators, url: batchUrl, rival: { status: 404 } },
  'POST /erasures/customer': { roles: operators, body: { customerId: 'any' }, rival: { status: 200 } },
  'POST /erasures/tenant': { roles: ['platform'], body: { tenant: 'any' }, rival: { status: 403 } },
  'GET /api-keys': { roles: admins, rival: { status: 200, items: 0 } },
  'PUT /api-keys/:id': {
    roles: admins,
    url: '/api-keys/any?tenant=acme',
    body: { sha256: 'a'.repeat(64), principal: 'rita', roles: ['customer'] },
    rival: { status: 403 },
  },
  'DELETE /api-keys/:id': { roles: admins, url: '/api-keys/any?tenant=acme', rival: { status: 403 } },
});

/** The lines of the routes that every service with backfills has. */
export const backfillDoors: Doors = {
  'GET /backfills': { roles: ['platform'], rival: { status: 403 } },
  'GET /backfills/:name': { roles: ['platform'], url: '/backfills/any', rival: { status: 403 } },
  'PUT /backfills/:name': {
    roles: ['platform'],
    url: '/backfills/any',
    body: { status: 'paused' },
    rival: { status: 403 },
  },
};

/** Puts away a message of acme, and returns its address. */
export async function putLetter(client: TestClient): Promise<string> {
  const id = randomUUID();
  await client.query(
    `insert into dead_letter (id, mailbox, message_id, tenant, readable, content, size, deliveries, killed, last_error,
                              state, first_seen_at)
     values ($1, 'cmd.any', $2, 'acme', true, '{}', 2, 1, false, 'Error: out of luck', 'open', now())`,
    [id, id],
  );
  return `/dead-letters/${id}`;
}
