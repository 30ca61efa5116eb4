/** Calls over real sockets to a small server that misbehaves in the ways that the test asks for. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Dependency } from './dependency';
import { RetryableError, TerminalError } from './errors';
import { failureOf } from './failure';
import { OutsideClient, type OutsideRequest } from './outside-client';
import { UnsafeRetryError } from './retry';
import { RetryBudget } from './retry-budget';

type Way = (response: ServerResponse, request: IncomingMessage) => void;

let server: Server;
let base: string;
let ways: Way[];
let seen: { method?: string; key?: string | string[]; body: string }[];
const sockets = new Set<unknown>();

beforeAll(async () => {
  server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
    request.on('end', () => {
      seen.push({ method: request.method, key: request.headers['idempotency-key'], body });
      ways[Math.min(seen.length, ways.length) - 1]!(response, request);
    });
  });
  server.on('connection', (socket) => sockets.add(socket));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
beforeEach(() => {
  seen = [];
  sockets.clear();
});
afterAll(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const answer =
  (status: number, headers: Record<string, string> = {}, body = `${status}`): Way =>
  (response) =>
    response.writeHead(status, headers).end(body);
const reset: Way = (_, request) => request.socket.resetAndDestroy();
const hang: Way = () => undefined;
const cutOff: Way = (response) => {
  response.writeHead(200, { 'content-length': '100' }).write('half');
  setImmediate(() => response.destroy());
};

/** Much longer than any answer takes here. */
const PATIENCE_MS = 30_000;

/** Does not wait between tries, except as long as it was asked to. */
function openClient() {
  const options = { name: 'server', calls: 4, maxWaiting: 10, timeoutMs: PATIENCE_MS, totalMs: PATIENCE_MS };
  const client = new OutsideClient(new Dependency(options, { random: () => 0, budget: new RetryBudget() }));
  return (request: Partial<OutsideRequest> = {}) => client.request(`${base}/x`, { turn: 'a', ...request });
}

describe('R43 OutsideClient', () => {
  it.each<[string, Way]>([
    ['500', answer(500)],
    ['503', answer(503)],
    ['408', answer(408)],
    ['429 with seconds', answer(429, { 'retry-after': '0' })],
    ['429 with a date', answer(429, { 'retry-after': new Date(0).toUTCString() })],
    ['a reset', reset],
    ['an answer that breaks off', cutOff],
  ])('R43 sends the same request again after %s', async (_, way) => {
    ways = [way, answer(201, { 'x-id': '7' }, 'done')];
    const request = openClient();
    const { status, headers, body } = await request({ method: 'POST', idempotencyKey: 'k1', body: '{"a":1}' });
    expect([status, headers.get('x-id'), body]).toEqual([201, '7', 'done']);
    const sent = { method: 'POST', key: 'k1', body: '{"a":1}' };
    expect(seen).toEqual([sent, sent]);
  });

  it('R43 sends it again after a try that hung', async () => {
    ways = [hang, answer(200)];
    expect(await openClient()({ timeoutMs: 200 })).toMatchObject({ status: 200 });
    expect(seen).toHaveLength(2);
  });

  it.each([
    ['60', 60_000],
    ['Fri, 01 Jan 2100 00:00:00 GMT', 3_600_000],
  ])('R43 does not come back before Retry-After: %s, and tells how long that is', async (retryAfter, retryAfterMs) => {
    ways = [answer(429, { 'retry-after': retryAfter })];
    const error: unknown = await openClient()().catch((e: unknown) => e);
    expect(error).toBeInstanceOf(RetryableError);
    expect(failureOf(error)).toEqual({ status: 429, retryAfterMs });
    expect(seen).toHaveLength(1);
  });

  it.each([200, 204, 302, 400, 401, 403, 404, 409, 422])('R43 answers %i as it is, after one try', async (status) => {
    ways = [answer(status, { location: '/elsewhere' })];
    expect(await openClient()()).toMatchObject({ status, body: status === 204 ? '' : `${status}` });
    expect(seen).toHaveLength(1);
  });

  it('R43 sends it again after 409 where that is safe', async () => {
    ways = [answer(409), answer(200)];
    const request = openClient();
    expect(await request({ method: 'POST', idempotencyKey: 'k', isConflictSafe: true })).toMatchObject({ status: 200 });
  });

  it('R43 gives up after three tries, and says what the last one was', async () => {
    ways = [answer(500)];
    await expect(openClient()({ method: 'PUT' })).rejects.toThrow('the answer was 500');
    expect(seen).toHaveLength(3);
  });

  it.each(['POST', 'PATCH'])('R43 does not send a %s without a key, unless it is sent once only', async (method) => {
    ways = [answer(500)];
    await expect(openClient()({ method })).rejects.toThrow(UnsafeRetryError);
    expect(seen).toHaveLength(0);
    await expect(openClient()({ method, maxTries: 1 })).rejects.toThrow('the answer was 500');
    expect(seen).toHaveLength(1);
  });

  it('R45 does not read an answer without an end', async () => {
    ways = [
      (response) => {
        const chunk = Buffer.alloc(64 * 1024);
        const more = () => {
          while (!response.destroyed && response.write(chunk));
        };
        response.on('drain', more);
        more();
      },
    ];
    await expect(openClient()()).rejects.toThrow(TerminalError);
    expect(seen).toHaveLength(1);
  });

  it('R45 uses its connections again: there are never more than two for each call at once', async () => {
    ways = [answer(200)];
    const request = openClient();
    await Promise.all(Array.from({ length: 40 }, (_, n) => request({ turn: `t${n}` })));
    expect(seen).toHaveLength(40);
    expect(sockets.size).toBeLessThanOrEqual(8);
  });
});
