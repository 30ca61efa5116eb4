/** Who calls: keys of the environment and other sources; and what stops an app whose routes ask for no role. */
import 'reflect-metadata';
import { Controller, Get, Module } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { createLogger } from '@shop/observability';
import { type Caller, CallerOf, parseApiKeys, Public, Roles } from './api-keys';
import { createHttpApp } from './http-app';
import { routesOf } from './route-roles';
import { type CallerSource, cannotTell } from './who-calls';

const late: Caller = { tenant: 'acme', principal: 'lena', roles: ['customer'] };
/** Knows some callers at once and some later, and of some it knows that it cannot tell. */
const first: CallerSource = {
  callerOf({ text }) {
    if (text === 'at-once') return { ...late, principal: 'otto' };
    if (text === 'away') return cannotTell();
    if (text === 'broken') return Promise.reject(new Error('out of luck'));
    return Promise.resolve(text === 'later' ? late : undefined);
  },
};
const second: CallerSource = {
  callerOf: ({ text }) => (text === 'second' ? { ...late, principal: 'sue' } : undefined),
};

@Controller('cups')
@Roles('customer', 'operator')
class CupsController {
  @Get()
  list(@CallerOf() { principal }: Caller) {
    return { principal };
  }

  @Get('all')
  @Roles('operator')
  all() {
    return {};
  }

  @Get('open')
  @Public()
  open() {
    return {};
  }
}
@Module({ controllers: [CupsController] })
class CupsModule {}

@Controller('mugs')
class MugsController {
  @Get()
  list() {
    return [];
  }

  @Get('mine')
  @Roles()
  mine() {
    return [];
  }

  @Get('open')
  @Public()
  open() {
    return [];
  }
}
@Module({ controllers: [CupsController, MugsController] })
class MugsModule {}

const options = {
  title: 'Cups',
  description: 'A service for this test.',
  logger: createLogger({ service: 'cups', level: 'silent', format: 'json' }),
  apiKeys: parseApiKeys('key=acme/carl:customer'),
  callers: [first, second],
};
let app: NestFastifyApplication;

beforeAll(async () => {
  app = await createHttpApp(CupsModule, options);
  await app.init();
  await app.getHttpAdapter().getInstance().ready();
});
afterAll(() => app.close());

const ask = (key: string, url = '/cups') => app.inject({ url, headers: { authorization: `Bearer ${key}` } });

describe('R54 who calls', () => {
  it.each([
    ['key', 'carl'],
    ['at-once', 'otto'],
    ['later', 'lena'],
    ['second', 'sue'],
  ])('R54 is told by the first that knows %s', async (key, principal) => {
    const answer = await ask(key);
    expect([answer.statusCode, answer.json()]).toEqual([200, { principal }]);
  });

  it.each(['nobody', 'Bearer', 'sha256'])('R54 is a stranger with what nobody knows: %s', async (key) => {
    const answer = await ask(key);
    expect([answer.statusCode, answer.headers['www-authenticate']]).toEqual([401, 'Bearer']);
    expect(answer.json()).toMatchObject({ code: 'unauthenticated' });
  });

  it.each(['away', 'broken'])('R54 is no stranger when it cannot be told: %s', async (key) => {
    const answer = await ask(key);
    expect([answer.statusCode, answer.headers['retry-after']]).toEqual([503, '1']);
    expect(answer.json()).toMatchObject({ code: 'unavailable' });
  });
});

describe('R54 the roles of routes', () => {
  it('R54 are those of the method, else of its controller; a public one asks nobody', async () => {
    expect((await ask('key')).statusCode).toBe(200);
    expect((await ask('key', '/cups/all')).json()).toMatchObject({ status: 403, code: 'forbidden' });
    expect((await app.inject({ url: '/cups/open' })).statusCode).toBe(200);
    const own = routesOf(app).filter(({ name }) => name.startsWith('Cups'));
    expect(own.map(({ method, path, roles, isPublic }) => [method, path, isPublic ? 'public' : roles])).toEqual([
      ['GET', '/cups', ['customer', 'operator']],
      ['GET', '/cups/all', ['operator']],
      ['GET', '/cups/open', 'public'],
    ]);
  });

  it('R54 stop the start when a route says nothing, and one sentence names all of them', async () => {
    await expect(createHttpApp(MugsModule, options)).rejects.toThrow(
      'these routes have neither @Roles nor @Public: MugsController.list, MugsController.mine',
    );
  });

  it('R54 are not asked for where there are no keys', async () => {
    const open = await createHttpApp(MugsModule, { ...options, apiKeys: undefined });
    await open.init();
    expect((await open.inject({ url: '/mugs' })).statusCode).toBe(200);
    await open.close();
  });
});
