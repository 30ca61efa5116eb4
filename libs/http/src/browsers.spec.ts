/** What a browser is told: whose pages may read an answer, and what it must not do with it. */
import 'reflect-metadata';
import { Body, Controller, Get, Header, Module, Post } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { createLogger } from '@shop/observability';
import { IsInt } from 'class-validator';
import { parseApiKeys, Roles } from './api-keys';
import { parseOrigins } from './cors';
import { createHttpApp, type DoorOptions } from './http-app';
import { parseProxies } from './proxies';

class CupBody {
  @IsInt() size: number;
}

@Controller('cups')
@Roles('customer')
class CupsController {
  @Get()
  list() {
    return [];
  }

  @Get('picture')
  @Header('cache-control', 'private, max-age=60')
  picture() {
    return {};
  }

  @Post()
  fill(@Body() body: CupBody) {
    return body;
  }
}

@Module({ controllers: [CupsController] })
class CupsModule {}

const SHOP = 'https://shop.example';
const logger = createLogger({ service: 'cups', level: 'silent', format: 'json' });
let app: NestFastifyApplication;
afterEach(() => app?.close());

async function open(door: DoorOptions): Promise<void> {
  app = await createHttpApp(CupsModule, {
    title: 'Cups',
    description: 'A service for this test.',
    logger,
    apiKeys: parseApiKeys('key=acme/carl:customer'),
    door,
  });
  await app.init();
  await app.getHttpAdapter().getInstance().ready();
}

type Method = 'GET' | 'POST' | 'OPTIONS' | 'PATCH';
const ask = (method: Method, url: string, headers: Record<string, string> = {}, payload?: string) =>
  app.inject({ method, url, headers: { authorization: 'Bearer key', ...headers }, payload });
const preflight = (origin: string, url = '/cups') =>
  app.inject({ method: 'OPTIONS', url, headers: { origin, 'access-control-request-method': 'POST' } });

describe('R54 pages of other origins', () => {
  it('R54 of the list may ask: the question before the request needs no key', async () => {
    await open({ origins: [SHOP, 'http://localhost:8080'] });
    for (const origin of [SHOP, 'http://localhost:8080']) {
      const answer = await preflight(origin);
      expect(answer.statusCode).toBe(204);
      expect(answer.headers).toMatchObject({
        'access-control-allow-origin': origin,
        'access-control-allow-methods': 'GET, HEAD, POST, PUT, PATCH, DELETE',
        'access-control-allow-headers': expect.stringContaining('Authorization, Content-Type, Idempotency-Key'),
        'access-control-max-age': '600',
        vary: 'Origin',
      });
      expect(answer.headers['access-control-allow-credentials']).toBeUndefined();
    }
  });

  it.each<[string, Method, string, Record<string, string>, string | undefined, number]>([
    ['an answer', 'GET', '/cups', {}, undefined, 200],
    ['a missing key', 'GET', '/cups', { authorization: '' }, undefined, 401],
    ['an unknown address', 'GET', '/nowhere', {}, undefined, 404],
    ['a wrong method', 'PATCH', '/cups', {}, undefined, 405],
    ['a body that is too large', 'POST', '/cups', {}, JSON.stringify({ size: 'x'.repeat(70_000) }), 413],
    ['a body of no known type', 'POST', '/cups', { 'content-type': 'text/plain' }, 'x', 415],
    ['a body that is wrong', 'POST', '/cups', {}, '{"size":"x"}', 400],
    ['an odd request', 'POST', '/cups', { 'content-encoding': 'gzip' }, '{"size":1}', 415],
  ])('R54 of the list can read %s', async (_, method, url, headers, payload, status) => {
    await open({ origins: [SHOP] });
    const type: Record<string, string> = payload === undefined ? {} : { 'content-type': 'application/json' };
    const answer = await ask(method, url, { ...type, ...headers, origin: SHOP }, payload);
    expect(answer.statusCode).toBe(status);
    expect(answer.headers).toMatchObject({ 'access-control-allow-origin': SHOP, vary: 'Origin' });
    const shown = String(answer.headers['access-control-expose-headers']);
    for (const name of ['Location', 'ETag', 'Idempotent-Replayed', 'Retry-After', 'RateLimit', 'Preference-Applied']) {
      expect(shown.split(', ')).toContain(name);
    }
  });

  it('R54 of the list can read that they ask too often', async () => {
    await open({ origins: [SHOP], limits: { principal: 1, tenant: 0, stranger: 1 } });
    await ask('GET', '/cups');
    await ask('GET', '/cups', { authorization: 'Bearer bad' });
    for (const authorization of ['Bearer key', 'Bearer bad']) {
      const answer = await ask('GET', '/cups', { authorization, origin: SHOP });
      expect([answer.statusCode, answer.headers['access-control-allow-origin']]).toEqual([429, SHOP]);
    }
  });

  it.each(['https://evil.example', 'https://shop.example.evil.example', 'http://shop.example', 'null'])(
    'R54 that are not in the list read nothing: %s',
    async (origin) => {
      await open({ origins: [SHOP] });
      for (const answer of [await preflight(origin), await ask('GET', '/cups', { origin })]) {
        expect(answer.headers['access-control-allow-origin']).toBeUndefined();
        expect(answer.headers['vary']).toBe('Origin');
      }
    },
  );

  it.each([[[]], [[SHOP]]])('R54 change nothing about other OPTIONS, with the list %j', async (origins) => {
    await open({ origins });
    const known = await app.inject({ method: 'OPTIONS', url: '/cups', headers: { origin: SHOP } });
    expect([known.statusCode, known.headers['allow']]).toEqual([204, 'GET, HEAD, OPTIONS, POST']);
    expect((await app.inject({ method: 'OPTIONS', url: '/nowhere' })).statusCode).toBe(404);
    expect((await ask('GET', '/nowhere')).statusCode).toBe(404);
  });

  it('R54 are none without a list', async () => {
    await open({});
    const answer = await preflight(SHOP);
    expect(Object.keys(answer.headers).filter((name) => name.startsWith('access-control-'))).toEqual([]);
  });

  it('R54 are all with *', async () => {
    await open({ origins: ['*'] });
    expect((await ask('GET', '/cups', { origin: SHOP })).headers['access-control-allow-origin']).toBe('*');
  });
});

describe('R54 the list', () => {
  it('R54 has origins as browsers write them', () => {
    expect(parseOrigins('')).toEqual([]);
    expect(parseOrigins(' https://shop.example, http://localhost:8080,*')).toEqual([
      'https://shop.example',
      'http://localhost:8080',
      '*',
    ]);
    for (const wrong of [
      'shop.example',
      'https://shop.example/',
      'https://Shop.example',
      'https://*.example',
      'null',
    ]) {
      expect(() => parseOrigins(wrong)).toThrow('must list origins such as https://shop.example');
    }
  });

  it('R54 of proxies has addresses and networks', () => {
    expect(parseProxies('10.0.0.0/8, ::1')).toEqual(['10.0.0.0/8', '::1']);
    for (const wrong of ['proxy', '10.0.0.0/33', '10.0.0.0/', '10.0.0.0/8/8', '0.0.0.0/0']) {
      expect(() => parseProxies(wrong)).toThrow('must list addresses or networks');
    }
  });
});

describe('R54 each answer', () => {
  it.each([
    ['/cups', {}],
    ['/nowhere', {}],
    ['/cups', { authorization: '' }],
  ])('R54 of %s with %j runs nothing, is in no frame, and is not kept', async (url, headers) => {
    await open({});
    const answer = await ask('GET', url, headers);
    expect(answer.headers).toMatchObject({
      'x-content-type-options': 'nosniff',
      'content-security-policy': expect.stringMatching(/^default-src 'none'; frame-ancestors 'none';/),
      'referrer-policy': 'no-referrer',
      'cross-origin-resource-policy': 'same-origin',
      'cache-control': 'no-store',
    });
    expect(answer.headers['strict-transport-security']).toBeUndefined();
  });

  it('R54 of a route that says how long it may be kept, is kept', async () => {
    await open({});
    expect((await ask('GET', '/cups/picture')).headers['cache-control']).toBe('private, max-age=60');
  });

  it('R54 of the page of the API lets it run its own scripts only', async () => {
    await open({ hstsSeconds: 3_600 });
    const { headers } = await ask('GET', '/docs');
    expect(headers['content-security-policy']).toMatch(/script-src 'self';.*frame-ancestors 'none'/);
    expect(headers['strict-transport-security']).toBe('max-age=3600');
  });

  it('R54 of an address that cannot be read too', async () => {
    await open({});
    const { statusCode, headers } = await ask('GET', '/cups/%E0%A4%A');
    expect([statusCode, headers['x-content-type-options']]).toEqual([400, 'nosniff']);
  });
});
