/** API keys over HTTP: two instances of a service on one database. */
import 'reflect-metadata';
import { createHash, randomUUID } from 'node:crypto';
import { Controller, Get } from '@nestjs/common';
import { bulkMigrations } from '@shop/bulk';
import { type Caller, CallerOf, Roles } from '@shop/http';
import { type Call, callersOf, expectProblem, TestClient } from '@shop/http/testing';
import { ledgerMigrations } from '@shop/idempotency';
import { messagingMigrations } from '@shop/messaging';
import type { Logger } from '@shop/observability';
import { eventually, startTcpProxy, type TcpProxy, useStack } from '@shop/testing';
import { openService } from '../../testing';
import { apiKeyMigrations, defineService, LOGGER, Port, PostgresUrl, ServiceEnvironment } from '../index';
import { StoredKeys } from './stored-keys';
import { IsOptional } from 'class-validator';

class CraneEnvironment extends ServiceEnvironment {
  @Port() CRANE_PORT = 0;
  @PostgresUrl() CRANE_DATABASE_URL: string;
  @IsOptional() @PostgresUrl() CRANE_MIGRATION_DATABASE_URL?: string;
}

@Controller('cranes')
class CranesController {
  @Get()
  @Roles('customer')
  mine(@CallerOf() caller: Caller) {
    return caller;
  }
}

const crane = defineService({
  name: 'crane',
  title: 'Crane service',
  description: 'What is lifted.',
  environment: CraneEnvironment,
  migrations: [...ledgerMigrations, ...messagingMigrations, ...bulkMigrations, ...apiKeyMigrations],
  controllers: [CranesController],
});

const { callers, API_KEYS } = callersOf({
  admin: 'acme/ann:customer+operator+admin',
  lesser: 'acme/abe:customer+admin',
  operator: 'acme/olga:customer+operator',
  root: 'acme/root:customer+operator+admin+platform',
  rival: 'rival/rita:customer+admin',
});

const stack = useStack();
let proxy: TcpProxy;
let here: TestClient;
let there: TestClient;

beforeAll(async () => {
  const database = new URL(stack.databaseUrl);
  proxy = await startTcpProxy(database.hostname, Number(database.port || 5432));
  const throughProxy = new URL(stack.databaseUrl);
  [throughProxy.hostname, throughProxy.port] = ['127.0.0.1', String(proxy.port)];
  const { natsUrl } = stack;
  // The tests ask more often than a stranger may.
  const env = { API_KEYS, RATE_LIMIT_STRANGERS: '0' };
  const open = async (databaseUrl: string) =>
    new TestClient(await openService(crane, { databaseUrl, natsUrl }, env, { takesMessages: false }), callers.admin);
  [here, there] = await Promise.all([open(stack.databaseUrl), open(throughProxy.href)]);
});
afterAll(async () => {
  await Promise.all([here.close(), there.close()]);
  await proxy.close();
});

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const newKey = () => ({ id: randomUUID(), secret: randomUUID() });

interface Wish {
  principal?: string;
  roles?: string[];
  expiresAt?: string;
}

const put = (id: string, secret: string, wish: Wish = {}, call: Call = {}, tenant?: string) =>
  here.call('PUT', `/api-keys/${id}${tenant ? `?tenant=${tenant}` : ''}`, {
    ...call,
    body: { sha256: sha256(secret), principal: 'shop-front', roles: ['customer'], ...wish },
  });
const revoke = (id: string, key: string = callers.admin) => here.call('DELETE', `/api-keys/${id}`, { key });
const ask = (key: string, by = here) => by.call('GET', '/cranes', { key });
const becomes = (key: string, status: number, by = there) =>
  eventually(async () => expect((await ask(key, by)).statusCode).toBe(status), { timeoutMs: 15_000 });

describe('R54 an API key', () => {
  it('R54 is good at once where it was added, and soon in all replicas; the same again changes nothing', async () => {
    const { id, secret } = newKey();
    const added = await put(id, secret);
    expect(added.statusCode).toBe(201);
    expect(added.json()).toEqual({
      id,
      tenant: 'acme',
      principal: 'shop-front',
      roles: ['customer'],
      expiresAt: null,
      createdAt: expect.stringMatching(/^\d{4}-.*Z$/) as string,
      createdBy: 'acme/ann',
      revokedAt: null,
      revokedBy: null,
      lastUsedAt: null,
    });
    expect((await ask(secret)).json()).toEqual({ tenant: 'acme', principal: 'shop-front', roles: ['customer'] });
    await becomes(secret, 200);
    const again = await put(id, secret);
    expect(again.statusCode).toBe(200);
    expect({ ...again.json<object>(), lastUsedAt: null }).toEqual(added.json());
  });

  it('R54 that is revoked is a stranger, at once here and soon everywhere, and for good', async () => {
    const { id, secret } = newKey();
    await put(id, secret);
    await becomes(secret, 200);
    expect((await revoke(id)).statusCode).toBe(204);
    expect((await revoke(id)).statusCode).toBe(204);
    expectProblem(await ask(secret), 401, 'unauthenticated');
    await becomes(secret, 401);
    expectProblem(await put(id, secret), 409, 'api_key_revoked');
    expectProblem(await put(randomUUID(), secret), 409, 'api_key_taken');
    expectProblem(await revoke(randomUUID()), 404, 'api_key_not_found');
    expectProblem(await revoke('no id'), 404, 'api_key_not_found');
  });

  it('R54 that has expired is a stranger', async () => {
    const { id, secret } = newKey();
    const expiresAt = '2099-01-01T00:00:00.000Z';
    expect((await put(id, secret, { expiresAt })).json()).toMatchObject({ expiresAt });
    await becomes(secret, 200);
    await here.query(`update api_key set expires_at = now() - interval '1 second' where id = $1`, [id]);
    await here.query('update api_key_change set count = count + 1');
    await becomes(secret, 401);
    const past = { expiresAt: '2020-01-01T00:00:00Z' };
    expectProblem(await put(randomUUID(), randomUUID(), past), 422, 'expires_in_the_past');
  });

  it('R54 is exchanged without a gap: both are good until the old one is revoked', async () => {
    const [old, next] = [newKey(), newKey()];
    await put(old.id, old.secret);
    await put(next.id, next.secret);
    for (const { secret } of [old, next]) expect((await ask(secret)).statusCode).toBe(200);
    await revoke(old.id);
    expect([(await ask(old.secret)).statusCode, (await ask(next.secret)).statusCode]).toEqual([401, 200]);
  });

  it('R54 of which two add the same at the same time is one', async () => {
    const { id, secret } = newKey();
    const answers = await Promise.all(Array.from({ length: 6 }, () => put(id, secret)));
    expect(answers.map(({ statusCode }) => statusCode).sort()).toEqual([200, 200, 200, 200, 200, 201]);
  });

  it('R54 cannot become another one', async () => {
    const { id, secret } = newKey();
    await put(id, secret);
    for (const wish of [{ principal: 'bob' }, { roles: ['operator'] }, { expiresAt: '2099-01-01T00:00:00Z' }]) {
      expectProblem(await put(id, secret, wish), 409, 'api_key_id_conflict');
    }
    expectProblem(await put(id, randomUUID()), 409, 'api_key_id_conflict');
  });

  it('R54 is not taken over: neither from another tenant nor from the environment', async () => {
    const { id, secret } = newKey();
    await put(id, secret);
    expectProblem(await put(id, secret, {}, { key: callers.rival }), 409, 'api_key_taken');
    expectProblem(await put(randomUUID(), callers.operator), 409, 'api_key_taken');
    // The same id is another one in another tenant.
    expect((await put(id, randomUUID(), {}, { key: callers.rival })).statusCode).toBe(201);
  });

  it.each<[string, object, RegExp]>([
    ['a key instead of its hash', { sha256: 'secret' }, /sha256/],
    ['a principal that is two parts of a key', { principal: 'a|b' }, /principal/],
    ['no role', { roles: [] }, /roles/],
    ['an unknown role', { roles: ['barista'] }, /roles/],
    ['a day without a time', { expiresAt: '2099-01-01' }, /expiresAt/],
    ['a time without a zone', { expiresAt: '2099-01-01T00:00:00' }, /expiresAt/],
  ])('R54 is refused with %s', async (_, wish, path) => {
    const answer = await put(randomUUID(), randomUUID(), wish);
    expectProblem(answer, 400, 'validation_failed', { errors: [{ path }] });
  });
});

describe('R54 who may hand out keys', () => {
  it('R54 an administrator, and nobody else', async () => {
    const { id, secret } = newKey();
    for (const answer of [
      await put(id, secret, {}, { key: callers.operator }),
      await revoke(id, callers.operator),
      await here.call('GET', '/api-keys', { key: callers.operator }),
    ]) {
      expectProblem(answer, 403, 'forbidden');
    }
  });

  it('R54 nobody hands out a role that they do not have', async () => {
    const wish = { roles: ['customer', 'operator'] };
    const { id, secret } = newKey();
    expectProblem(await put(id, secret, wish, { key: callers.lesser }), 403, 'role_not_held', { detail: /operator/ });
    expect((await put(id, secret, wish)).statusCode).toBe(201);
  });

  it('R54 only who runs the system does so for another tenant', async () => {
    const { id, secret } = newKey();
    expectProblem(await put(id, secret, {}, {}, 'rival'), 403, 'forbidden');
    expectProblem(await here.call('GET', '/api-keys?tenant=rival'), 403, 'forbidden');
    expect((await put(id, secret, {}, { key: callers.root }, 'rival')).json()).toMatchObject({ tenant: 'rival' });
    expect((await ask(secret)).json()).toMatchObject({ tenant: 'rival' });
    expectProblem(await here.call('DELETE', `/api-keys/${id}?tenant=rival`), 403, 'forbidden');
    expectProblem(await revoke(id), 404, 'api_key_not_found');
    const removed = await here.call('DELETE', `/api-keys/${id}?tenant=rival`, { key: callers.root });
    expect(removed.statusCode).toBe(204);
  });
});

describe('R54 the list of keys', () => {
  it('R54 is that of the tenant, page by page, and tells nothing of the keys themselves', async () => {
    const made = [newKey(), newKey(), newKey()];
    for (const { id, secret } of made) await put(id, secret);
    await revoke(made[0]!.id);
    const items: { id: string; revokedBy: string | null }[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const page = await here.call('GET', `/api-keys?limit=2${cursor && `&cursor=${cursor}`}`);
      for (const { secret } of made) expect(page.body).not.toContain(sha256(secret));
      const { items: found, next } = page.json<{ items: typeof items; next: string | null }>();
      expect(found.length).toBeLessThanOrEqual(2);
      items.push(...found);
      cursor = next;
    }
    const byId = new Map(items.map((item) => [item.id, item]));
    expect(made.map(({ id }) => byId.get(id)?.revokedBy)).toEqual(['acme/ann', null, null]);
    expect(new Set(items.map(({ id }) => id)).size).toBe(items.length);
    const others = await here.call('GET', '/api-keys?limit=200', { key: callers.rival });
    for (const { id } of made) expect(others.body).not.toContain(id);
  });

  it('R54 tells when a key was last used, which no request waits for', async () => {
    const { id, secret } = newKey();
    await put(id, secret);
    const stored = here.app.get(StoredKeys, { strict: false });
    const lastUsed = () => here.query('select last_used_at from api_key where id = $1', [id]);
    await ask(secret);
    expect(await lastUsed()).toEqual([{ last_used_at: null }]);
    await stored.noteUse();
    const first = await lastUsed();
    expect(first).toEqual([{ last_used_at: expect.any(Date) as Date }]);
    // Another time, so soon, is not worth a write.
    await ask(secret);
    await stored.noteUse();
    expect(await lastUsed()).toEqual(first);
  });
});

describe('R54 while the database is away', () => {
  it('R54 keys that are known are good; of others it cannot be told, and it can again later', async () => {
    const { id, secret } = newKey();
    await put(id, secret);
    await becomes(secret, 200);
    await proxy.cut();
    try {
      await eventually(async () => expect((await ask('stranger', there)).statusCode).toBe(503), { timeoutMs: 20_000 });
      const answer = await ask('stranger', there);
      expectProblem(answer, 503, 'unavailable');
      expect(answer.headers['retry-after']).toBe('1');
      expect((await ask(secret, there)).statusCode).toBe(200);
      expect((await ask(callers.operator, there)).statusCode).toBe(200);
    } finally {
      await proxy.restore();
    }
    await becomes('stranger', 401);
  });
});

it('R54 each act is a line in the log, without the key and without its hash', async () => {
  const told = jest.spyOn(here.app.get<Logger>(LOGGER), 'info');
  const { id, secret } = newKey();
  await put(id, secret);
  await put(id, secret);
  await revoke(id);
  await revoke(id);
  const about = { tenant: 'acme', apiKeyId: id, by: 'acme/ann' };
  expect(told.mock.calls).toEqual([
    [{ ...about, principal: 'shop-front', roles: ['customer'], expiresAt: null }, 'api_key.added'],
    [about, 'api_key.revoked'],
  ]);
  told.mockRestore();
});
