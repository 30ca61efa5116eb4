/** What every service answers to requests that are not quite HTTP, or not quite ours, byte by byte. */
import 'reflect-metadata';
import { once } from 'node:events';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { promisify } from 'node:util';
import { Body, Controller, Get, HttpCode, Module, Param, Post, Put } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { eventually } from '@shop/testing';
import pino from 'pino';
import { register } from 'prom-client';
import { createHttpApp } from './http-app';
import { faultOf, pathOf } from './odd-requests';
import { statusOfFault } from './problem.filter';

@Controller('cups')
class CupsController {
  @Get(':id')
  get(@Param('id') id: string) {
    return { id };
  }

  @Put(':id')
  put(@Body() body: object) {
    return body;
  }

  @Post(':id/fillings')
  @HttpCode(200)
  fill() {
    return {};
  }
}

@Module({ controllers: [CupsController] })
class CupsModule {}

let app: NestFastifyApplication;
let port: number;
const log: string[] = [];

beforeAll(async () => {
  const logger = pino({ level: 'warn', messageKey: 'event' }, { write: (line: string) => void log.push(line) });
  app = await createHttpApp(CupsModule, { title: 'Cups', description: 'A service for this test.', logger });
  await app.listen(0, '127.0.0.1');
  ({ port } = app.getHttpServer().address() as AddressInfo);
});
afterAll(() => app.close());
beforeEach(() => log.splice(0));
afterEach(() => expect(log).toEqual([]));

/** Sends the bytes unchanged, and returns what comes back until the other side closes. */
function send(bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes));
    let heard = '';
    socket.on('data', (chunk: Buffer) => (heard += chunk.toString()));
    socket.on('error', reject);
    socket.on('close', () => resolve(heard));
  });
}

/** The answers, as `404 not_found`, or the status alone. Each error is a problem. */
async function answersTo(bytes: string): Promise<string[]> {
  const answers = (await send(bytes)).split(/(?=HTTP\/1\.1 \d{3} )/);
  return answers.map((answer) => {
    const [, status] = /^HTTP\/1\.1 (\d{3})/.exec(answer)!;
    if (Number(status) < 400) return status!;
    expect(answer).toMatch(/\r\ncontent-type: application\/problem\+json/i);
    const [, body = ''] = answer.split('\r\n\r\n');
    return body === '' ? status! : `${status} ${(JSON.parse(body) as { code: string }).code}`;
  });
}

const get = (target: string, ...headers: string[]): string => frame(`GET ${target} HTTP/1.1`, 'Host: x', ...headers);
const frame = (...lines: string[]): string => `${[...lines, 'Connection: close'].join('\r\n')}\r\n\r\n`;
const json = '{"size":1}';
const put = (...headers: string[]): string =>
  frame('PUT /cups/7 HTTP/1.1', 'Host: x', 'Content-Type: application/json', ...headers);
/** Keeps its connection: only the fault of the request closes it. */
const kept = (bytes: string): string => bytes.replace('\r\nConnection: close', '');
const inChunks = (size = 'a', end = '\r\n'): string => `${size}${end}${json}${end}0${end}${end}`;

describe('R29 how a body is sent', () => {
  const length = `Content-Length: ${json.length}`;
  const chunked = 'Transfer-Encoding: chunked';

  it.each([
    ['with its length', put(length) + json, '200'],
    ['in chunks', put(chunked) + inChunks(), '200'],
    ['in chunks with more about them', put(chunked) + inChunks('a;x=y'), '200'],
    ['with a coding that nobody knows', kept(put('Transfer-Encoding: xchunked')) + inChunks(), '501 not_implemented'],
    ['with a coding before the chunks', put('Transfer-Encoding: gzip, chunked') + inChunks(), '501 not_implemented'],
    ['with no coding', kept(put('Transfer-Encoding: identity')) + inChunks(), '501 not_implemented'],
    ['in chunks twice', kept(put(chunked, chunked)) + inChunks(), '400 malformed_request'],
    ['in chunks that are not the end', kept(put('Transfer-Encoding: chunked, x')) + json, '400 malformed_request'],
    ['with a length and in chunks', kept(put(length, chunked)) + inChunks(), '400 malformed_request'],
    ['in chunks and with a length', kept(put(chunked, length)) + inChunks(), '400 malformed_request'],
    ['with two lengths', kept(put(length, 'Content-Length: 11')) + json, '400 malformed_request'],
    ['with one length twice', kept(put(length, length)) + json, '400 malformed_request'],
    ['with a list of lengths', kept(put('Content-Length: 10, 10')) + json, '400 malformed_request'],
    ['with a length that is none', kept(put('Content-Length: +10')) + json, '400 malformed_request'],
    [
      'with a length beyond all numbers',
      kept(put(`Content-Length: ${'9'.repeat(30)}`)) + json,
      '400 malformed_request',
    ],
    ['in chunks of no size', kept(put(chunked)) + inChunks('zz'), '400 malformed_request'],
    ['in chunks with bare line feeds', kept(put(chunked)) + inChunks('a', '\n'), '400 malformed_request'],
    ['with a header over two lines', kept(put('X-A: b\r\n c', length)) + json, '400 malformed_request'],
    ['with its length on a second line', kept(put('Content-Length:\r\n 10')) + json, '400 malformed_request'],
    ['with a blank before a colon', kept(put('Content-Length : 10')) + json, '400 malformed_request'],
    ['with bare line feeds', kept(put(length)).replaceAll('\r\n', '\n') + json, '400 malformed_request'],
  ])('R29 %s gets one answer, and the connection is closed', async (_, bytes, answer) => {
    expect(await answersTo(bytes)).toEqual([answer]);
  });

  it.each([
    ['PATCH /cups/7', '405 method_not_allowed'],
    ['PUT /cups/7', '415 unsupported_media_type'],
    ['POST /cups/7/fillings', '415 unsupported_media_type'],
  ])('R29 that is broken gets no second answer behind that of %s', async (line, answer) => {
    const head = frame(`${line} HTTP/1.1`, 'Host: x', 'Content-Type: text/plain', chunked);
    expect(await answersTo(kept(head) + inChunks('zz'))).toEqual([answer]);
  });

  it('R29 is followed by bytes that are not HTTP: each gets its own answer, in order', async () => {
    expect(await answersTo(`${kept(put(length))}${json}hello\r\n\r\n`)).toEqual(['200', '400 malformed_request']);
  });

  it.each(['gzip', 'GZIP', 'br', 'deflate', 'zstd', 'gzip, identity', 'nonsense'])(
    'R29 in the encoding %s is refused as such',
    async (encoding) => {
      expect(await answersTo(put(length, `Content-Encoding: ${encoding}`) + json)).toEqual([
        '415 unsupported_media_type',
      ]);
    },
  );

  it.each(['identity', 'Identity', ''])('R29 in the encoding "%s" is read', async (encoding) => {
    expect(await answersTo(put(length, `Content-Encoding: ${encoding}`) + json)).toEqual(['200']);
  });

  it('R29 that is not there needs no encoding', async () => {
    expect(await answersTo(get('/cups/7', 'Content-Encoding: gzip'))).toEqual(['200']);
  });

  it.each(['100-continue', '100-Continue'])('R29 is asked for when the client expects %s', async (expected) => {
    expect(await answersTo(put(length, `Expect: ${expected}`) + json)).toEqual(['100', '200']);
  });

  it('R29 is not asked for by a client that expects something else', async () => {
    expect(await answersTo(kept(put(length, 'Expect: magic')))).toEqual(['417 expectation_failed']);
    expect(await answersTo(kept(get('/cups/7', 'Expect: 200-ok')))).toEqual(['417 expectation_failed']);
  });
});

describe('R29 a client that goes away in an upload', () => {
  const begun = put('Content-Length: 5000') + '{"size';
  const inPieces = `${put('Transfer-Encoding: chunked')}ff\r\n{"size`;
  const ways: [string, (socket: Socket) => void][] = [
    ['closes', (socket) => socket.destroy()],
    ['resets', (socket) => socket.resetAndDestroy()],
    ['ends', (socket) => socket.end()],
  ];

  const counted = async (): Promise<number> => {
    const text = await register.getSingleMetricAsString('http_requests_aborted_total');
    const line = /\{method="PUT",route="\/cups\/:id"\} (\d+)/.exec(text);
    return Number(line?.[1] ?? 0);
  };

  it.each(ways)('R29 and %s is counted, and writes no line into the log', async (_, leave) => {
    const before = await counted();
    const server = app.getHttpServer();
    for (const bytes of [begun, inPieces]) {
      const socket = connect(port, '127.0.0.1', () => socket.write(bytes));
      await once(server, 'request');
      leave(socket);
    }
    await eventually(async () => expect(await promisify(server.getConnections.bind(server))()).toBe(0));
    await eventually(async () => expect(await counted()).toBe(before + 2));
    // Somebody else is served behind it, so what it left has been dealt with.
    expect(await answersTo(get('/cups/7'))).toEqual(['200']);
    expect(log).toEqual([]);
  });
});

describe('R29 the first lines of a request', () => {
  it.each([
    ['without a host', frame('GET /cups/7 HTTP/1.1'), '400 malformed_request'],
    ['with two hosts', get('/cups/7', 'Host: y'), '400 malformed_request'],
    ['with a host that is none', frame('GET /cups/7 HTTP/1.1', 'Host: a b/c@d'), '400 malformed_request'],
    ['with an empty host', frame('GET /cups/7 HTTP/1.1', 'Host:'), '200'],
    ['of HTTP/1.0, which needs no host', frame('GET /cups/7 HTTP/1.0'), '200'],
    ['of HTTP/0.9', 'GET /cups/7\r\n\r\n', '505 http_version_not_supported'],
    ['of HTTP/2', frame('GET /cups/7 HTTP/2.0', 'Host: x'), '505 http_version_not_supported'],
    ['of a version that is not there', frame('GET /cups/7 HTTP/1.2', 'Host: x'), '400 malformed_request'],
    ['of HTTP/2 in its own bytes', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', '400 malformed_request'],
    ['for a proxy', get('http://y/cups/7'), '200'],
    ['for a proxy, of an unknown address', get('http://y/docs/nothing'), '404 not_found'],
    ['for a tunnel', frame('CONNECT y:80 HTTP/1.1', 'Host: y:80'), '501 not_implemented'],
    ['for an echo', frame('TRACE /cups/7 HTTP/1.1', 'Host: x'), '405 method_not_allowed'],
    ['for the whole server', frame('OPTIONS * HTTP/1.1', 'Host: x'), '404 not_found'],
    ['without an address', get('?'), '400 malformed_request'],
    ['with no path', get('cups/7'), '400 malformed_request'],
    ['with an address of two words', get('/cups/7 8'), '400 malformed_request'],
  ])('R29 %s', async (_, bytes, answer) => {
    expect(await answersTo(bytes)).toEqual([answer]);
  });

  it.each(['websocket', 'h2c'])('R29 that would like to speak %s is served as it is', async (protocol) => {
    const bytes = get('/cups/7').replace('Connection: close', `Connection: Upgrade, close\r\nUpgrade: ${protocol}`);
    expect(await answersTo(bytes)).toEqual(['200']);
  });
});

describe('R29 the files of the documentation', () => {
  it.each([
    ['/docs', '200'],
    ['/docs/swagger-ui.css', '200'],
    ['/docs/nothing', '404 not_found'],
    ['/docs/swagger-ui.css/', '404 not_found'],
    ['/docs/%00', '404 not_found'],
    ['/docs/swagger-ui.css%00', '404 not_found'],
    ['/docs/..', '404 not_found'],
    ['/docs/../x', '404 not_found'],
    ['/docs/%2e%2e/x', '404 not_found'],
    ['/docs/..%5cx', '404 not_found'],
    ['/docs/%2e%2e%2fx', '404 not_found'],
    ['/docs/%5c', '404 not_found'],
    ['/docs/a%2fb', '404 not_found'],
    ['/docs/.env', '404 not_found'],
    ['/docs/%', '400 malformed_request'],
    ['/docs/%ff', '400 malformed_request'],
    [`/docs/${'x'.repeat(5_000)}`, '404 not_found'],
    ['http://y/docs/../x', '404 not_found'],
  ])('R29 %.40s is %s', async (address, answer) => {
    expect(await answersTo(get(address))).toEqual([answer]);
    expect(await answersTo(get(address).replace('GET', 'HEAD'))).toEqual([answer.slice(0, 3)]);
    const posted = await answersTo(get(address).replace('GET', 'POST'));
    expect(posted.every((one) => one.startsWith('4'))).toBe(true);
  });
});

describe('R29 the decisions behind it', () => {
  it.each([
    ['/cups/7?x=http://y', '/cups/7?x=http://y'],
    ['http://y/cups/7', '/cups/7'],
    ['HTTPS://user@y:80/cups/7?x#y', '/cups/7?x#y'],
    ['http://y', '/'],
    ['http://y?x', '/?x'],
    ['//y/cups', '//y/cups'],
    ['*', '*'],
    ['ftp://y/cups', 'ftp://y/cups'],
  ])('R29 the path of %s is %s', (address, path) => {
    expect(pathOf(address)).toBe(path);
  });

  it('R29 a request of a version of tomorrow is refused before its headers are looked at', () => {
    expect(faultOf({ httpVersion: '3.0', headers: {}, rawHeaders: [] })?.getStatus()).toBe(505);
  });

  it.each<[string, unknown, number | undefined]>([
    ['an upload that ended early', Object.assign(new Error('aborted'), { code: 'ECONNRESET', statusCode: 400 }), 400],
    ['a connection of our own that ended', Object.assign(new Error('x'), { code: 'ECONNRESET' }), undefined],
    ['a file that is forbidden', Object.assign(new Error('x'), { expose: true, statusCode: 403 }), 403],
    ['an error of the file server', Object.assign(new Error('x'), { expose: true, statusCode: 500 }), undefined],
    ['what an outside call says of us', Object.assign(new Error('x'), { statusCode: 402 }), undefined],
    ['an error of ours', new TypeError('x'), undefined],
    ['nothing at all', undefined, undefined],
  ])('R29 %s is the fault of the client with status, or not at all', (_, error, status) => {
    expect(statusOfFault(error)).toBe(status);
  });
});
