/** How often callers may ask, and strangers may try, as clients see it. */
import 'reflect-metadata';
import { Body, Controller, Get, Module, Post } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { createLogger } from '@shop/observability';
import { metricsNow } from '../testing/metrics';
import { parseApiKeys, Public, Roles } from './api-keys';
import { createHttpApp, type DoorOptions } from './http-app';

const KEYS = 'carl=acme/carl:customer,cora=acme/cora:customer,cleo=acme/cleo:customer,rita=rival/rita:customer';
/** Beyond what the counters remember. */
const MANY = 5_100;

let bodies = 0;

@Controller('cups')
@Roles('customer')
class CupsController {
  @Get()
  list() {
    return [];
  }

  @Post()
  fill(@Body() body: object) {
    bodies++;
    return body;
  }

  @Get('open')
  @Public()
  open() {
    return {};
  }
}

@Module({ controllers: [CupsController] })
class CupsModule {}

const logger = createLogger({ service: 'cups', level: 'silent', format: 'json' });
let app: NestFastifyApplication;
afterEach(() => app.close());

async function open(limits: DoorOptions['limits'], door: DoorOptions = {}): Promise<void> {
  app = await createHttpApp(CupsModule, {
    title: 'Cups',
    description: 'A service for this test.',
    logger,
    apiKeys: parseApiKeys(KEYS),
    door: { limits, ...door },
  });
  await app.init();
  await app.getHttpAdapter().getInstance().ready();
}

const ask = (key: string, { from = '192.0.2.1', url = '/cups', headers = {} } = {}) =>
  app.inject({ url, remoteAddress: from, headers: { authorization: `Bearer ${key}`, ...headers } });

const statusesOf = async (keys: string[]): Promise<number[]> => {
  const statuses: number[] = [];
  for (const key of keys) statuses.push((await ask(key)).statusCode);
  return statuses;
};

describe('R54 a caller', () => {
  it('R54 has so many requests a minute, as a principal and as a tenant, and other tenants have theirs', async () => {
    await open({ principal: 2, tenant: 3, stranger: 0 });
    expect(await statusesOf(['carl', 'carl', 'carl', 'cora', 'cora', 'cleo', 'rita'])).toEqual([
      200, 200, 429, 200, 429, 429, 200,
    ]);
  });

  it('R54 is told what is left, and when it may come again', async () => {
    await open({ principal: 2, tenant: 9, stranger: 0 });
    const [first, , refused] = [await ask('carl'), await ask('carl'), await ask('carl')];
    expect(first.headers).toMatchObject({
      'ratelimit-policy': '"principal";q=2;w=60, "tenant";q=9;w=60',
      ratelimit: '"principal";r=1;t=60, "tenant";r=8;t=60',
    });
    expect(refused.json()).toMatchObject({ status: 429, code: 'rate_limited', type: 'urn:shop:problem:rate_limited' });
    expect(refused.headers).toMatchObject({
      'content-type': expect.stringMatching(/^application\/problem\+json/),
      'retry-after': expect.stringMatching(/^\d+$/),
      ratelimit: expect.stringMatching(/^"principal";r=0;t=\d+$/),
    });
    expect(await metricsNow()).toMatch(/^http_requests_limited_total\{limit="principal"\} [1-9]/m);
  });

  it('R54 is refused before its body is read, and a route without a key is never', async () => {
    await open({ principal: 1, tenant: 0, stranger: 0 });
    const fill = () =>
      app.inject({ method: 'POST', url: '/cups', headers: { authorization: 'Bearer carl' }, payload: { size: 1 } });
    const [done, refused] = [await fill(), await fill()];
    expect([done.statusCode, refused.statusCode, refused.headers['connection']]).toEqual([201, 429, 'close']);
    expect(bodies).toBe(1);
    for (let n = 0; n < 5; n++) expect((await ask('carl', { url: '/cups/open' })).statusCode).toBe(200);
  });

  it('R54 is not counted without a limit', async () => {
    await open(undefined);
    const answer = await ask('carl');
    expect([answer.statusCode, answer.headers['ratelimit'], answer.headers['ratelimit-policy']]).toEqual([
      200,
      undefined,
      undefined,
    ]);
  });
});

describe('R54 a stranger', () => {
  it('R54 may try so many keys a minute from one address; a good key is good from there too', async () => {
    await open({ principal: 0, tenant: 0, stranger: 2 });
    expect(await statusesOf(['bad-1', 'bad-2', 'bad-3', 'carl', ''])).toEqual([401, 401, 429, 200, 429]);
    const refused = await ask('bad-4');
    expect(refused.json()).toMatchObject({ status: 429, code: 'rate_limited' });
    expect(refused.headers).toMatchObject({ connection: 'close', 'retry-after': expect.stringMatching(/^\d+$/) });
    expect(refused.headers['www-authenticate']).toBeUndefined();
    expect(refused.headers['content-length']).toBe(`${Buffer.byteLength(refused.body)}`);
    expect((await ask('bad-5', { from: '192.0.2.2' })).statusCode).toBe(401);
  });

  it('R54 is one network in IPv6, where each client has many addresses', async () => {
    await open({ principal: 0, tenant: 0, stranger: 1 });
    expect((await ask('bad', { from: '2001:db8::1' })).statusCode).toBe(401);
    expect((await ask('bad', { from: '2001:db8::2' })).statusCode).toBe(429);
    expect((await ask('bad', { from: '2001:db8:0:1::1' })).statusCode).toBe(401);
  });

  it.each([
    [[], 429],
    [['192.0.2.0/24'], 401],
  ])('R54 names its address itself only through a proxy that is trusted: %j', async (trustedProxies, status) => {
    await open({ principal: 0, tenant: 0, stranger: 1 }, { trustedProxies });
    expect((await ask('bad', { headers: { 'x-forwarded-for': '198.51.100.1' } })).statusCode).toBe(401);
    expect((await ask('bad', { headers: { 'x-forwarded-for': '198.51.100.2' } })).statusCode).toBe(status);
  });

  it('R54 is forgotten when many others have come, so that they take no more memory', async () => {
    await open({ principal: 0, tenant: 0, stranger: 1 });
    const from = (n: number) => ask('bad', { from: `10.${n >> 16}.${(n >> 8) & 255}.${n & 255}` });
    expect([(await from(0)).statusCode, (await from(0)).statusCode]).toEqual([401, 429]);
    for (let n = 1; n < MANY; n++) await from(n);
    expect([(await from(0)).statusCode, (await from(MANY - 1)).statusCode]).toEqual([401, 429]);
  });
});
