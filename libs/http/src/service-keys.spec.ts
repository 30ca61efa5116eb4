/** What a service key opens, what it does not, and whose header counts. */
import 'reflect-metadata';
import { Controller, Delete, Get, HttpCode, Module, Post, Put } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { createLogger } from '@shop/observability';
import { type Caller, CallerOf, parseApiKeys, Public, Roles, weaknessesOf, weaknessesOfKey } from './api-keys';
import { createHttpApp } from './http-app';
import { callerIn } from './tokens';

const SERVICE_KEY = 'a-service-key-of-the-test';
const reads: Caller[] = [];
let writes = 0;

@Controller('cups')
@Roles('operator')
class CupsController {
  @Get()
  list(@CallerOf() caller: Caller) {
    reads.push(caller);
    return caller;
  }

  @Get('admins')
  @Roles('admin', 'platform', 'customer')
  admins() {
    return {};
  }

  @Get('open')
  @Public()
  open() {
    return {};
  }

  @Post()
  @Roles('customer', 'operator')
  make() {
    writes++;
  }

  @Put()
  put() {
    writes++;
  }

  @Delete()
  @HttpCode(204)
  remove() {
    writes++;
  }
}
@Module({ controllers: [CupsController] })
class CupsModule {}

let app: NestFastifyApplication;

beforeAll(async () => {
  app = await createHttpApp(CupsModule, {
    title: 'Cups',
    description: 'A service for this test.',
    logger: createLogger({ service: 'cups', level: 'silent', format: 'json' }),
    apiKeys: parseApiKeys(`${SERVICE_KEY}=platform/order:service,key=acme/olga:operator,carl=acme/carl:customer`),
    door: { limits: { principal: 3, tenant: 0, stranger: 0 } },
  });
  await app.init();
  await app.getHttpAdapter().getInstance().ready();
});
afterAll(() => app.close());

type Method = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'DELETE';

const ask = (method: Method, headers: Record<string, string | string[]>, url = '/cups', key = SERVICE_KEY) =>
  app.inject({ method, url, headers: { authorization: `Bearer ${key}`, ...headers } });

describe('R54 a service key', () => {
  it('R54 reads as an operator of the tenant that it names, as nobody whom that tenant knows', async () => {
    const answer = await ask('GET', { 'shop-tenant': 'acme' });
    expect([answer.statusCode, answer.json()]).toEqual([
      200,
      { tenant: 'acme', principal: 'service:order', roles: ['operator'] },
    ]);
    expect((await ask('HEAD', { 'Shop-Tenant': 'rival' })).statusCode).toBe(200);
    expect(reads.at(-1)).toMatchObject({ tenant: 'rival' });
  });

  it.each<Method>(['POST', 'PUT', 'DELETE'])('R54 changes nothing: %s', async (method) => {
    const answer = await ask(method, { 'shop-tenant': 'acme' });
    expect([answer.statusCode, answer.json()]).toMatchObject([403, { code: 'forbidden' }]);
    expect(writes).toBe(0);
  });

  it.each([
    ['none', {}],
    ['an empty one', { 'shop-tenant': '' }],
    ['a path', { 'shop-tenant': 'acme/olga' }],
    ['one that is too long', { 'shop-tenant': 'a'.repeat(65) }],
    ['two in one', { 'shop-tenant': 'acme, rival' }],
  ])('R54 needs one tenant, and not %s', async (_, headers) => {
    const answer = await ask('GET', headers);
    expect([answer.statusCode, answer.json()]).toMatchObject([400, { code: 'shop_tenant_invalid' }]);
  });

  it('R54 is no administrator and no customer', async () => {
    const answer = await ask('GET', { 'shop-tenant': 'acme' }, '/cups/admins');
    expect([answer.statusCode, answer.json()]).toMatchObject([403, { code: 'forbidden' }]);
  });

  it('R54 needs no tenant where everybody is let in', async () => {
    expect((await ask('GET', {}, '/cups/open')).statusCode).toBe(200);
  });

  it('R54 is counted for each tenant alone', async () => {
    const forTenant = async (tenant: string) => (await ask('GET', { 'shop-tenant': tenant })).statusCode;
    const busy = [];
    for (let call = 0; call < 4; call++) busy.push(await forTenant('busy'));
    expect(busy).toEqual([200, 200, 200, 429]);
    expect(await forTenant('quiet')).toBe(200);
  });

  it('R54 is the only key whose header counts', async () => {
    const headers = { 'shop-tenant': 'rival' };
    expect((await ask('GET', headers, '/cups', 'key')).json()).toMatchObject({ tenant: 'acme', principal: 'olga' });
    expect((await ask('POST', headers, '/cups', 'carl')).statusCode).toBe(201);
  });

  it('R54 has no other role, and no token has this one', () => {
    for (const list of ['operator+service', 'service+platform', 'service+service']) {
      expect(() => parseApiKeys(`k=platform/order:${list}`)).toThrow('entry 1 must have no role beside service');
    }
    const claims = { tenant: 'tenant', roles: 'roles', principal: 'sub' };
    const caller = callerIn({ tenant: 'acme', sub: 'eve', roles: ['service', 'customer'] }, claims);
    expect(caller).toMatchObject({ roles: ['customer'] });
    expect(callerIn({ tenant: 'acme', sub: 'eve', roles: 'service' }, claims)).toMatchObject({ status: 403 });
  });

  it('R54 of development, or a short one, is not fit for production', () => {
    expect(weaknessesOf('dev-neighbour-key=platform/order:service')).toEqual([
      'entry 1 of API_KEYS is the key of development',
    ]);
    expect(weaknessesOf('short=platform/order:service')[0]).toMatch('fewer than 16');
    expect(weaknessesOf(`${SERVICE_KEY}=platform/order:service`)).toEqual([]);
    expect(weaknessesOfKey('dev-neighbour-key')).toEqual(['is the key of development']);
    expect(weaknessesOfKey('short')).toEqual(['has fewer than 16 characters']);
    expect(weaknessesOfKey(SERVICE_KEY)).toEqual([]);
  });
});
