/** What every service answers by itself, asked through a socket like an unknown client. */
import 'reflect-metadata';
import { type AddressInfo, connect } from 'node:net';
import { Body, Controller, Delete, Get, HttpCode, Module, NotFoundException, Param, Post, Put } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { createLogger } from '@shop/observability';
import { IsInt } from 'class-validator';
import { parseApiKeys, Public, Roles } from './api-keys';
import { ConditionalGet } from './conditional-get';
import { createHttpApp } from './http-app';

class CupBody {
  @IsInt() size: number;
}

interface Label {
  text: string;
  version: number;
}

@Controller('cups')
@Roles('customer')
class CupsController {
  @Get()
  list() {
    return [];
  }

  @Get(':id')
  @Public()
  get(@Param('id') id: string) {
    return { id };
  }

  @Put(':id')
  @Public()
  put(@Body() body: CupBody) {
    return body;
  }

  @Delete(':id')
  @Public()
  @HttpCode(204)
  remove(): void {
    // Nothing to remove.
  }

  @Get(':id/label')
  @Public()
  @ConditionalGet(({ text }: Label) => ({ text }))
  async label(@Param('id') id: string): Promise<Label> {
    if (id === 'bare') throw new NotFoundException();
    return { text: `cup ${id}`, version: 3 };
  }

  @Post(':id/fillings')
  @Public()
  fill() {
    return {};
  }
}

@Module({ controllers: [CupsController] })
class CupsModule {}

let app: NestFastifyApplication;
let address: string;

beforeAll(async () => {
  app = await createHttpApp(CupsModule, {
    title: 'Cups',
    description: 'A service for this test.',
    logger: createLogger({ service: 'cups', level: 'silent', format: 'json' }),
    apiKeys: parseApiKeys('key=acme/carl:customer'),
  });
  await app.listen(0, '127.0.0.1');
  address = await app.getUrl();
});
afterAll(() => app.close());

describe('R27 R29 methods', () => {
  it.each([
    ['/cups', 'GET, HEAD, OPTIONS'],
    ['/cups/7', 'DELETE, GET, HEAD, OPTIONS, PUT'],
    ['/cups/a%20b?x=1', 'DELETE, GET, HEAD, OPTIONS, PUT'],
    ['/cups/7/fillings', 'OPTIONS, POST'],
    ['/openapi.json', 'GET, HEAD, OPTIONS'],
  ])('OPTIONS %s names those that are there, and 405 all others', async (path, allow) => {
    const options = await ask('OPTIONS', path);
    expect([options.status, options.headers.get('allow'), await options.text()]).toEqual([204, allow, '']);
    for (const method of ['PATCH', 'PROPFIND', ...(allow.includes('POST') ? ['GET'] : ['POST'])]) {
      const answer = await ask(method, path);
      await expectProblem(answer, 405, 'method_not_allowed');
      expect(answer.headers.get('allow')).toBe(allow);
    }
  });

  it.each(['GET', 'OPTIONS', 'PATCH', 'DELETE'])('%s of an unknown address is 404', async (method) => {
    for (const path of ['/', '/cup', '/cups/7/8', '/cups/7/fillings/']) {
      await expectProblem(await ask(method, path), 404, 'not_found');
    }
  });

  it('HEAD answers like GET, without the body', async () => {
    const [get, head] = [await ask('GET', '/cups/7'), await ask('HEAD', '/cups/7')];
    expect([head.status, await head.text()]).toEqual([200, '']);
    for (const name of ['content-type', 'content-length']) expect(head.headers.get(name)).toBe(get.headers.get(name));
    expect((await ask('HEAD', '/nowhere')).status).toBe(404);
  });

  it.each<[string, Record<string, string>]>([
    ['no type', {}],
    ['the type of JSON', { 'content-type': 'application/json' }],
    ['a type of nothing', { 'content-type': 'text/plain', 'content-length': '0' }],
  ])('DELETE without a body is none with a faulty one: %s', async (_, headers) => {
    expect((await ask('DELETE', '/cups/7', { headers })).status).toBe(204);
  });
});

describe('R28 a conditional GET', () => {
  it.each([
    [undefined, 200],
    ['"2"', 200],
    ['nonsense', 200],
    ['"3"', 304],
    ['"2", W/"3"', 304],
    ['*', 304],
  ])('of a holder of %p, where the version is "3", answers %d', async (ifNoneMatch, status) => {
    const headers: Record<string, string> = ifNoneMatch === undefined ? {} : { 'if-none-match': ifNoneMatch };
    for (const method of ['GET', 'HEAD']) {
      const answer = await ask(method, '/cups/7/label', { headers });
      expect([answer.status, answer.headers.get('etag')]).toEqual([status, '"3"']);
      expect(await answer.text()).toBe(method === 'GET' && status === 200 ? '{"text":"cup 7"}' : '');
    }
  });

  it('of what is not there is 404, whatever the client holds', async () => {
    const answer = await ask('GET', '/cups/bare/label', { headers: { 'if-none-match': '*' } });
    await expectProblem(answer, 404, 'not_found');
    expect(answer.headers.get('etag')).toBeNull();
  });
});

describe('R29 what cannot be read', () => {
  const json = 'application/json';
  const deep = `${'['.repeat(30_000)}${']'.repeat(30_000)}`;

  it.each([
    ['no body', undefined, json, 400, 'malformed_request'],
    ['no JSON', '{"size": ', json, 400, 'malformed_request'],
    ['no object', '[1]', json, 400, 'validation_failed'],
    ['JSON with endless nesting', `{"size": ${deep}}`, json, 400, 'validation_failed'],
    ['too much', `{"size": "${'x'.repeat(65 * 1_024)}"}`, json, 413, 'body_too_large'],
    ['text', '{"size": 1}', 'text/plain', 415, 'unsupported_media_type'],
    ['another JSON', '{"size": 1}', 'application/merge-patch+json', 415, 'unsupported_media_type'],
  ])('is refused as a problem: %s', async (_, body, type, status, code) => {
    await expectProblem(await ask('PUT', '/cups/7', { body, headers: { 'content-type': type } }), status, code);
  });

  it.each([
    ['/cups/%E0%A4%A', 400, 'malformed_request', /percent-encoding/],
    [`/cups/${'x'.repeat(300)}`, 414, 'uri_too_long', /address/],
  ])('is no address: %.20s', async (path, status, code, detail) => {
    expect((await expectProblem(await ask('GET', path), status, code))['detail']).toMatch(detail);
  });

  it.each([
    ['bytes that are not HTTP', 'hello\r\n\r\n', 400, 'malformed_request'],
    ['an unknown method', 'FOO /cups HTTP/1.1\r\nhost: x\r\n\r\n', 400, 'malformed_request'],
    ['headers too large', `GET /cups HTTP/1.1\r\nx: ${'x'.repeat(20_000)}\r\n\r\n`, 431, 'headers_too_large'],
  ])('is answered before there is a request: %s', async (_, bytes, status, code) => {
    const [head = '', body = ''] = (await send(bytes)).split('\r\n\r\n');
    expect(head).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(head).toContain('content-type: application/problem+json');
    expect(JSON.parse(body)).toMatchObject({ type: `urn:shop:problem:${code}`, status, code });
  });

  it('asks who calls before it says more', async () => {
    await expectProblem(await ask('GET', '/cups'), 401, 'unauthenticated');
  });
});

function ask(method: string, path: string, init: RequestInit = {}): Promise<Response> {
  return fetch(`${address}${path}`, { method, ...init });
}

async function expectProblem(answer: Response, status: number, code: string): Promise<Record<string, unknown>> {
  const body = (await answer.json()) as Record<string, unknown>;
  expect({ status: answer.status, code: body['code'] }).toEqual({ status, code });
  expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/);
  const text = expect.any(String) as string;
  expect(body).toMatchObject({ type: `urn:shop:problem:${code}`, title: text, detail: text, status });
  return body;
}

/** Sends the bytes unchanged, and returns what comes back until the other side closes. */
function send(bytes: string): Promise<string> {
  const { port } = app.getHttpServer().address() as AddressInfo;
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes));
    let heard = '';
    socket.on('data', (chunk: Buffer) => (heard += chunk.toString()));
    socket.on('error', reject);
    socket.on('close', () => resolve(heard));
  });
}
