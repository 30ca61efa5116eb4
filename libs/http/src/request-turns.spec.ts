import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { Controller, Get, Module, Param } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { createLogger } from '@shop/observability';
import { Problem } from '@shop/problem';
import { eventually } from '@shop/testing';
import { parseApiKeys, Roles } from './api-keys';
import { createHttpApp } from './http-app';
import { type EndTurn, EndTurnOf, OwnTurns } from './request-turns';

const logger = createLogger({ service: 'test', level: 'silent', format: 'json' });
const apiKeys = parseApiKeys('a-key=a/alice:customer,b-key=b/bob:customer');

/** The requests that are worked on, in the order in which they began, with what ends each of them. */
const begun: string[] = [];
const ends = new Map<string, () => void>();
const work = (name: string) => {
  begun.push(name);
  return new Promise<{ name: string }>((resolve) => ends.set(name, () => resolve({ name })));
};

@Controller()
@Roles('customer')
class WorkController {
  @Get('jobs/:name')
  work(@Param('name') name: string) {
    return work(name);
  }

  @Get('fails/:name')
  async fails(@Param('name') name: string) {
    await work(name);
    throw new Problem(404, 'nothing', 'there is nothing');
  }

  @Get('asks/:name')
  asks(@Param('name') name: string, @EndTurnOf() endTurn: EndTurn) {
    endTurn();
    return work(name);
  }

  @OwnTurns()
  @Get('own/:name')
  own(@Param('name') name: string) {
    return work(name);
  }
}
@Module({ controllers: [WorkController] })
class WorkModule {}

let app: NestFastifyApplication;

beforeEach(async () => {
  begun.length = 0;
  ends.clear();
  app = await createHttpApp(WorkModule, { title: 't', description: 't', logger, apiKeys, docs: false });
  await app.listen(0, '127.0.0.1');
});
afterEach(() => app.close());

const get = async (path: string, tenant = 'a') => {
  const { statusCode, headers } = await app.inject({
    url: path,
    headers: { authorization: `Bearer ${tenant}-key` },
  });
  return [statusCode, headers['retry-after']];
};
/** Sends them one after the other, so that they come in this order. */
async function sendAll(...names: string[]) {
  const answers: Promise<unknown>[] = [];
  for (const name of names) {
    answers.push(get(`/jobs/${name}`, name[0]));
    await new Promise((resolve) => setImmediate(resolve));
  }
  return answers;
}
const endOf = (name: string) => eventually(() => expect(ends.has(name)).toBe(true)).then(() => ends.get(name)!());

describe('R54 requests outside of lanes', () => {
  it('R54 are worked on two at once, and tenants take turns', async () => {
    const answers = await sendAll('a1', 'a2', 'a3', 'a4', 'a5', 'b1');
    await eventually(() => expect(begun).toEqual(['a1', 'a2']));
    for (const name of ['a2', 'a1', 'a3', 'b1', 'a4', 'a5']) await endOf(name);
    expect(await Promise.all(answers)).toEqual(Array(6).fill([200, undefined]));
    expect(begun).toEqual(['a1', 'a2', 'a3', 'b1', 'a4', 'a5']);
  });

  it('R54 end their turn with any answer', async () => {
    const failing = [get('/fails/f1'), get('/fails/f2')];
    await endOf('f1');
    await endOf('f2');
    expect(await Promise.all(failing)).toEqual(Array(2).fill([404, undefined]));
    const answers = await sendAll('a1', 'a2');
    await endOf('a1');
    await endOf('a2');
    await Promise.all(answers);
  });

  it('R54 do not wait when their route has queues of its own, nor hold up others there', async () => {
    const own = ['o1', 'o2', 'o3'].map((name) => get(`/own/${name}`));
    await eventually(() => expect(begun).toHaveLength(3));
    const answers = await sendAll('a1');
    for (const name of ['a1', 'o1', 'o2', 'o3']) await endOf(name);
    await Promise.all([...own, ...answers]);
  });

  it('R54 end their turn before their answer when they only wait for somebody else, and end it once', async () => {
    const asking = ['q1', 'q2', 'q3'].map((name) => get(`/asks/${name}`));
    await eventually(() => expect(begun).toEqual(['q1', 'q2', 'q3']));
    const answers = await sendAll('a1', 'a2', 'a3');
    await eventually(() => expect(begun).toEqual(['q1', 'q2', 'q3', 'a1', 'a2']));
    for (const name of ['q1', 'q2', 'q3']) await endOf(name);
    expect(await Promise.all(asking)).toEqual(Array(3).fill([200, undefined]));
    expect(begun).not.toContain('a3');
    for (const name of ['a1', 'a2', 'a3']) await endOf(name);
    await Promise.all(answers);
  });

  it('R54 are not worked on when their client has left', async () => {
    const answers = await sendAll('a1', 'a2');
    const server = app.getHttpServer();
    const { port } = server.address() as AddressInfo;
    const arrived = once(server, 'request');
    const client = connect(port, '127.0.0.1');
    client.write('GET /jobs/gone HTTP/1.1\r\nhost: x\r\nauthorization: Bearer a-key\r\n\r\n');
    const [request] = (await arrived) as [IncomingMessage];
    const left = once(request.socket, 'close');
    client.destroy();
    await left;
    answers.push(...(await sendAll('a3')));
    for (const name of ['a1', 'a2', 'a3']) await endOf(name);
    await Promise.all(answers);
    expect(begun).not.toContain('gone');
  });

  it('R45 are turned away when their turn does not come in time', async () => {
    const answers = await sendAll('a1', 'a2');
    jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask', 'performance'] });
    const waiting = get('/jobs/b1', 'b');
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
    jest.advanceTimersByTime(5_000);
    jest.useRealTimers();
    expect(await waiting).toEqual([503, '1']);
    for (const name of ['a1', 'a2']) await endOf(name);
    await Promise.all(answers);
    expect(begun).toEqual(['a1', 'a2']);
  });

  it('R45 are turned away when too many of their tenant wait', async () => {
    const waiting = await sendAll(...Array.from({ length: 502 }, (_, n) => `a${n}`));
    expect(await get('/jobs/late')).toEqual([429, '1']);
    const other = get('/jobs/b1', 'b');
    for (const name of ['a0', 'a1', 'b1']) await endOf(name);
    expect(await other).toEqual([200, undefined]);
    for (let n = 2; n < 502; n++) {
      while (!ends.has(`a${n}`)) await new Promise((resolve) => setImmediate(resolve));
      ends.get(`a${n}`)!();
    }
    await Promise.all(waiting);
  });
});
