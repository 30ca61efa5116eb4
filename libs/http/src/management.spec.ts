/** The port of those who run a service: what it says, and that its size does not depend on what strangers ask. */
import 'reflect-metadata';
import { once } from 'node:events';
import { METHODS, request as send } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Controller, Get, Module } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { createLogger } from '@shop/observability';
import { eventually } from '@shop/testing';
import { register } from 'prom-client';
import { createHealthModule } from './health.controller';
import { createHttpApp } from './http-app';
import { listenForManagement } from './management';
import { keptFor } from './metrics.module';
import { Readiness } from './readiness';
import { labelsOf } from './request-metrics';

@Controller('cups')
class CupsController {
  @Get()
  list() {
    return [];
  }
}

let trouble: string | undefined;
const health = createHealthModule({ inject: [], useFactory: () => [{ name: 'water', check: async () => trouble }] });

@Module({ imports: [health], controllers: [CupsController] })
class CupsModule {}

let app: NestFastifyApplication;
let url: string;
let managementUrl: string;

beforeAll(async () => {
  const logger = createLogger({ service: 'cups', level: 'silent', format: 'json' });
  app = await createHttpApp(CupsModule, { title: 'Cups', description: 'A service for this test.', logger });
  await app.listen(0, '127.0.0.1');
  url = await app.getUrl();
  managementUrl = await listenForManagement(app.get(Readiness, { strict: false }), 0, '127.0.0.1');
});
afterAll(() => app.close());
beforeEach(() => (trouble = undefined));

const answerOf = async (address: string): Promise<[number, unknown]> => {
  const answer = await fetch(address);
  return [answer.status, await answer.json()];
};

describe('R54 the two ports', () => {
  it('R54 only that of the management tells why a service is not ready', async () => {
    trouble = 'is cold';
    await eventually(async () =>
      expect(await answerOf(`${managementUrl}/health/ready`)).toEqual([
        503,
        { status: 'unavailable', checks: { water: 'is cold' } },
      ]),
    );
    expect(await answerOf(`${url}/health/ready`)).toEqual([503, { status: 'unavailable' }]);
    trouble = undefined;
    await eventually(async () => expect(await answerOf(`${url}/health/ready`)).toEqual([200, { status: 'ok' }]));
    expect(await answerOf(`${managementUrl}/health/ready`)).toEqual([200, { status: 'ok', checks: { water: 'ok' } }]);
  });

  it('R54 both tell that the process runs', async () => {
    for (const base of [url, managementUrl]) {
      expect(await answerOf(`${base}/health/live`)).toEqual([200, { status: 'ok' }]);
    }
  });

  it('R54 the metrics are on that of the management alone', async () => {
    const answer = await fetch(`${managementUrl}/metrics`);
    expect([answer.status, answer.headers.get('content-type')]).toEqual([200, register.contentType]);
    expect(await answer.text()).toContain('# TYPE http_request_duration_seconds histogram');
    expect((await fetch(`${url}/metrics`)).status).toBe(404);
  });

  it.each([
    ['GET', '/cups', 404],
    ['GET', '/constructor', 404],
    ['POST', '/metrics', 405],
    ['HEAD', '/metrics', 200],
  ])('R54 %s %s on that of the management is %d', async (method, path, status) => {
    expect((await fetch(managementUrl + path, { method })).status).toBe(status);
  });
});

/** Through one socket after the other, as Node's own client: `fetch` refuses some of the methods. */
async function ask(method: string, path: string): Promise<void> {
  const { port } = app.getHttpServer().address() as AddressInfo;
  const asked = send({ port, method, path, agent: false });
  asked.on('error', () => undefined);
  asked.end();
  // The answer to CONNECT is no response for the client.
  await Promise.race([once(asked, 'response').catch(() => undefined), once(asked, 'close')]);
  asked.destroy();
}

describe('R54 the text of the metrics', () => {
  it('R54 does not grow with the methods and addresses that strangers make up', async () => {
    const round = async (from: number, to: number) => {
      for (let n = from; n < to; n += METHODS.length) {
        await Promise.all(METHODS.map((method, index) => ask(method, `/nothing/${n + index}?x=${n}`)));
      }
      for (const method of METHODS) await ask(method, '/cups');
    };
    const names = async () => (await register.metrics()).replaceAll(/ [^ \n]+$/gm, '');
    const valuesOf = (text: string, label: string) => [
      ...new Set([...text.matchAll(new RegExp(`${label}="([^"]*)"`, 'g'))].map(([, value]) => value)),
    ];
    await round(0, METHODS.length);
    const before = await names();
    await round(METHODS.length, 5_000);
    const after = await names();
    expect(after).toBe(before);
    const known = ['GET', 'HEAD', 'OPTIONS', 'POST', 'PUT', 'PATCH', 'DELETE', 'other'];
    expect(valuesOf(after, 'method').filter((method) => !known.includes(method!))).toEqual([]);
    expect(valuesOf(after, 'route').filter((route) => route!.includes('nothing'))).toEqual([]);
  }, 60_000);

  it.each([
    [
      { method: 'GET', routeOptions: { url: '/cups/:id' } },
      { method: 'GET', route: '/cups/:id' },
    ],
    [
      { method: 'PROPFIND', routeOptions: { url: '/cups/:id' } },
      { method: 'other', route: '/cups/:id' },
    ],
    [
      { method: 'BREW', routeOptions: {} },
      { method: 'other', route: 'unknown' },
    ],
  ])('R54 names %j as %j', (request, labels) => {
    expect(labelsOf(request)).toEqual(labels);
  });

  it('R54 is made once for all who ask within a second, and again after a failure', async () => {
    let now = 0;
    const results = [Promise.resolve(1), Promise.resolve(2), Promise.reject(new Error('no')), Promise.resolve(4)];
    let made = 0;
    const make = () => results[made++]!;
    const text = keptFor(1_000, make, () => now);
    expect(await Promise.all([text(), text(), text()])).toEqual([1, 1, 1]);
    now = 999;
    expect(await text()).toBe(1);
    now = 1_000;
    expect(await text()).toBe(2);
    now = 2_000;
    await expect(text()).rejects.toThrow('no');
    expect(await text()).toBe(4);
    expect(made).toBe(4);
  });
});
