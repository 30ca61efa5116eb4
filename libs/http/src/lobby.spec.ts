/** Strangers, and clients that take without end, are turned away before they cost anything. Requests are counted, not timed. */
import 'reflect-metadata';
import { once } from 'node:events';
import type { Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { promisify } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Body, Controller, Get, Module, Post } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { createLogger } from '@shop/observability';
import { eventually } from '@shop/testing';
import { parseApiKeys, Public, Roles } from './api-keys';
import { createHttpApp } from './http-app';
import { createLobby } from './lobby';

let served = 0;

@Controller('cups')
@Roles('customer')
class CupsController {
  @Get()
  @Public()
  async list() {
    served++;
    return [];
  }

  @Get('mine')
  mine() {
    return [];
  }

  @Post('open')
  @Public({ rawBody: { maxBytes: 1_000 } })
  take() {
    served++;
    return {};
  }

  @Post()
  fill(@Body() body: object) {
    served++;
    return body;
  }
}

@Module({ controllers: [CupsController] })
class CupsModule {}

let app: NestFastifyApplication;
let server: Server;
let bodies = 0;

beforeAll(async () => {
  app = await createHttpApp(CupsModule, {
    title: 'Cups',
    description: 'A service for this test.',
    logger: createLogger({ service: 'cups', level: 'silent', format: 'json' }),
    apiKeys: parseApiKeys('key=acme/carl:customer,other=rival/rita:customer'),
  });
  app
    .getHttpAdapter()
    .getInstance()
    .addHook('preParsing', (_request, _reply, payload, done) => {
      bodies++;
      done(null, payload);
    });
  await app.listen(0, '127.0.0.1');
  server = app.getHttpServer();
});
afterAll(() => app.close());
beforeEach(() => (served = bodies = 0));
afterEach(async () => {
  sockets.splice(0).forEach((socket) => socket.destroy());
  await eventually(async () => expect(await connections()).toBe(0));
});

const sockets: Socket[] = [];
const connections = (): Promise<number> => promisify(server.getConnections.bind(server))();

interface Client {
  socket: Socket;
  heard: () => string;
  ended: Promise<string>;
}

function open(bytes: string, { port } = server.address() as AddressInfo): Client {
  const socket = connect(port, '127.0.0.1', () => socket.write(bytes));
  sockets.push(socket);
  let heard = '';
  socket.on('data', (chunk: Buffer) => (heard += chunk.toString()));
  socket.on('error', () => undefined);
  const ended = new Promise<string>((resolve) => socket.on('close', () => resolve(heard)));
  return { socket, heard: () => heard, ended };
}

const head = (line: string, ...headers: string[]): string =>
  `${[`${line} HTTP/1.1`, 'Host: x', ...headers].join('\r\n')}\r\n\r\n`;
function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
}

const unfinished = ['Content-Type: application/json', 'Content-Length: 60000'];

describe('R45 a stranger', () => {
  it.each([
    ['POST /cups', [], 401],
    ['POST /cups', ['Authorization: Bearer guessed'], 401],
    ['GET /cups/mine', [], 401],
    ['POST /nowhere', [], 404],
    ['PUT /cups', [], 405],
  ])('R45 who begins the upload %s with %j is answered %i before its body is read', async (line, headers, status) => {
    const clients = Array.from({ length: 50 }, () => open(`${head(line, ...headers, ...unfinished)}{"size`));
    for (const { ended } of clients) {
      const heard = await ended;
      expect(heard).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
      expect(heard).toMatch(/\r\nconnection: close\r\n/i);
    }
    expect([served, bodies]).toEqual([0, 0]);
  });

  it('R45 who sends no body keeps its connection', async () => {
    const { socket, heard } = open(head('GET /cups/mine'));
    await eventually(() => expect(heard()).toContain('HTTP/1.1 401'));
    socket.write(head('GET /cups'));
    await eventually(() => expect(heard()).toContain('HTTP/1.1 200'));
  });
});

describe('R57 a route that takes bodies of strangers', () => {
  const upload = (length: number, body: string) =>
    open(`${head('POST /cups/open', unfinished[0]!, `Content-Length: ${length}`)}${body}`);

  it('R57 has only so many of them under way, and tenants have places of their own', async () => {
    const clients = Array.from({ length: 100 }, () => upload(900, '{"size'));
    const refused = () => clients.filter(({ heard }) => heard().startsWith('HTTP/1.1 429 '));
    await eventually(() => expect(refused()).toHaveLength(100 - 64));
    const tenant = open(`${head('POST /cups', 'Authorization: Bearer key', unfinished[0]!, 'Content-Length: 2')}{}`);
    await eventually(() => expect(tenant.heard()).toContain('HTTP/1.1 201'));
    clients.forEach(({ socket }) => socket.destroy());
    await eventually(async () => expect(await connections()).toBe(1));
    const next = upload(2, '{}');
    await eventually(() => expect(next.heard()).toContain('HTTP/1.1 201'));
  });

  it('R57 has a limit of its own for their length', async () => {
    expect(await upload(1_001, '{"size').ended).toMatch(/^HTTP\/1.1 413 /);
    expect(served).toBe(0);
  });
});

describe('R45 a tenant', () => {
  it('R45 has only so many bodies under way, and others are served', async () => {
    const begun = `${head('POST /cups', 'Authorization: Bearer key', ...unfinished)}{"size`;
    const clients = Array.from({ length: 300 }, () => open(begun));
    const refused = () => clients.filter(({ heard }) => heard().startsWith('HTTP/1.1 429 '));
    await eventually(() => expect(refused()).toHaveLength(300 - 256));
    await Promise.all(refused().map(({ ended }) => ended));
    const post = (key: string) =>
      open(`${head('POST /cups', `Authorization: Bearer ${key}`, unfinished[0]!, 'Content-Length: 2')}{}`);
    const [own, others] = [post('key'), post('other')];
    expect(await own.ended).toMatch(/^HTTP\/1.1 429 [^]*retry-after: 1/);
    await eventually(() => expect(others.heard()).toContain('HTTP/1.1 201'));
    clients.forEach(({ socket }) => socket.destroy());
    await eventually(async () => expect(await connections()).toBe(1));
    for (let n = 0; n < 300; n++) {
      const next = post('key');
      await eventually(() => expect(next.heard()).toContain('HTTP/1.1 201'), { intervalMs: 1 });
      next.socket.destroy();
    }
  });
});

/** What is garbage is found in its time. */
const BUSY_MACHINE = { timeoutMs: 30_000 };

describe('R45 a connection', () => {
  it('R45 has only few requests at once, and one with more is closed', async () => {
    let parsed = 0;
    const count = () => void parsed++;
    server.on('request', count);
    await open(head('GET /cups').repeat(2_000)).ended;
    server.off('request', count);
    // They come in few pieces, so that the first piece has too many already.
    expect(served).toBeLessThanOrEqual(1);
    expect(parsed).toBeLessThan(20);
  });

  it('R45 may have many requests one after the other', async () => {
    const { socket, heard } = open('');
    for (let n = 1; n <= 40; n++) {
      socket.write(head('GET /cups').repeat(2));
      await eventually(() => expect(heard().match(/HTTP\/1.1 200/g)).toHaveLength(2 * n));
    }
  });

  it('R45 costs nothing more when the client has left', async () => {
    const { socket } = open('');
    await once(socket, 'connect');
    // The first request is in the same bytes as the others. The client is gone when the others are looked at.
    server.once('request', ({ socket: theirs }: { socket: Socket }) => theirs.destroy());
    socket.write(head('GET /cups').repeat(10));
    await once(socket, 'close');
    expect(served).toBeLessThanOrEqual(1);
  });

  it.each([
    ['headers', 'GET /cups HTTP/1.1\r\nHost: x\r\n'],
    ['a body', `${head('POST /cups', 'Authorization: Bearer key', ...unfinished)}{"size`],
    ['nothing', ''],
  ])('R45 is closed when it never ends %s', async (_, bytes) => {
    const { headersTimeout, requestTimeout } = server;
    Object.assign(server, { headersTimeout: 50, requestTimeout: 50 });
    expect(await open(bytes).ended).toMatch(/^HTTP\/1.1 408 /);
    Object.assign(server, { headersTimeout, requestTimeout });
    expect(served).toBe(0);
  });

  it('R45 is not closed when it was this process that stood still', async () => {
    const { headersTimeout, requestTimeout } = server;
    Object.assign(server, { headersTimeout: 1_000, requestTimeout: 1_000 });
    const { socket, heard } = open('');
    await once(server, 'connection');
    socket.write(head('GET /cups'));
    // Nothing runs meanwhile, as while a process is paused.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 3_000);
    await eventually(() => expect(heard()).not.toBe(''));
    Object.assign(server, { headersTimeout, requestTimeout });
    expect(heard()).toMatch(/^HTTP\/1.1 200 /);
  });

  it('R45 leaves nothing in memory when its client has left before the answers', async () => {
    const theirs: WeakRef<Socket>[] = [];
    const lobby = createLobby(({ socket }, response) => {
      theirs.push(new WeakRef(socket));
      socket.once('close', () => setImmediate(() => response.end('late')));
    });
    await once(lobby.listen(0, '127.0.0.1'), 'listening');
    const { socket } = open(head('GET /').repeat(3), lobby.address() as AddressInfo);
    await eventually(() => expect(theirs).toHaveLength(3));
    socket.destroy();
    await eventually(() => {
      collectGarbage();
      expect(theirs.filter((one) => one.deref() !== undefined)).toHaveLength(0);
    }, BUSY_MACHINE);
    lobby.close();
  });

  it('R45 that is idle makes room for the next client', async () => {
    const { maxConnections } = server;
    server.maxConnections = 3;
    const idle = Array.from({ length: 3 }, () => open(head('GET /cups')));
    for (const { heard } of idle) await eventually(() => expect(heard()).toContain('HTTP/1.1 200'));
    expect(await open(head('GET /cups')).ended).toBe('');
    await Promise.all(idle.map(({ ended }) => ended));
    const next = open(head('GET /cups'));
    await eventually(() => expect(next.heard()).toContain('HTTP/1.1 200'));
    server.maxConnections = maxConnections;
  });

  it.each([
    ['takes nothing of it', { unreadMs: 50 }],
    ['takes too long over it', { takenWithinMs: 50 }],
  ])('R45 is closed with its answer when the client %s', async (_, patience) => {
    const large = Buffer.alloc(64 * 1_024 * 1_024);
    const lobby = createLobby((_request, response) => void response.end(large), {}, patience);
    await once(lobby.listen(0, '127.0.0.1'), 'listening');
    const { socket } = open(head('GET /'), lobby.address() as AddressInfo);
    socket.pause();
    const left = promisify(lobby.getConnections.bind(lobby));
    await eventually(async () => expect(await left()).toBe(1));
    await eventually(async () => expect(await left()).toBe(0));
    lobby.close();
  });
});
