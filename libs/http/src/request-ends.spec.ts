/** A request is over once, in whatever way it ends. */
import { once } from 'node:events';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '@shop/testing';
import fastify, { type FastifyInstance } from 'fastify';
import { onRequestEnd } from './request-ends';

let app: FastifyInstance;
let port: number;
let ends: string[];
/** Lets the handler answer. */
let answer: () => void;
let isBegun: Promise<void>;

beforeEach(async () => {
  ends = [];
  let begin: () => void;
  isBegun = new Promise((resolve) => (begin = resolve));
  const mayAnswer = new Promise<void>((resolve) => (answer = resolve));
  app = fastify();
  onRequestEnd(app, (request, reply, { hasLeft }) => {
    ends.push(`${request.method} ${hasLeft ? 'left' : reply.statusCode}`);
  });
  app.addHook('onRequest', async (request, reply) => {
    if (request.headers['x-refused'] !== undefined) await reply.code(401).send();
  });
  const slow = async () => {
    begin();
    await mayAnswer;
    return { done: true };
  };
  app.get('/slow', slow);
  app.post('/slow', slow);
  app.post('/fails', () => Promise.reject(new Error('a fault')));
  await app.listen({ host: '127.0.0.1', port: 0 });
  port = (app.server.address() as AddressInfo).port;
});
afterEach(async () => {
  answer();
  await app.close();
});

const get = 'GET /slow HTTP/1.1\r\nHost: x\r\n\r\n';
const post = 'POST /slow HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}';

async function open(bytes: string): Promise<Socket> {
  const socket = connect(port, '127.0.0.1', () => socket.write(bytes));
  await isBegun;
  return socket;
}

describe('R50 the end of a request', () => {
  it.each([
    ['GET', get],
    ['POST', post],
  ])(
    'R50 comes when the client of a %s leaves, and not again with the answer that nobody takes',
    async (method, bytes) => {
      const socket = await open(bytes);
      socket.destroy();
      await eventually(() => expect(ends).toEqual([`${method} left`]));
      answer();
      await sleep(50);
      expect(ends).toEqual([`${method} left`]);
    },
  );

  it.each([
    ['GET', get],
    ['POST', post],
  ])('R50 comes with the answer of a %s, also on a connection that stays open', async (method, bytes) => {
    const socket = await open(bytes);
    answer();
    await once(socket, 'data');
    await eventually(() => expect(ends).toEqual([`${method} 200`]));
    socket.destroy();
    await sleep(50);
    expect(ends).toEqual([`${method} 200`]);
  });

  it('R50 comes for what is refused, what fails, and what nobody serves', async () => {
    await app.inject({ url: '/slow', headers: { 'x-refused': 'yes' } });
    await app.inject({ method: 'POST', url: '/fails' });
    await app.inject({ url: '/nowhere' });
    expect(ends).toEqual(['GET 401', 'POST 500', 'GET 404']);
  });
});
