import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Client } from './client';

describe('R51 the client of the auditor', () => {
  let server: Server;
  let answers: { status: number; body: string }[];
  let keys: (string | undefined)[];
  let client: Client;

  beforeAll(async () => {
    server = createServer((request, response) => {
      keys.push(request.headers['idempotency-key'] as string | undefined);
      const { status, body } = answers.shift()!;
      if (status === 0) request.socket.destroy();
      else response.writeHead(status, { 'content-type': 'application/json' }).end(body);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const order = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    client = new Client({ order, inventory: order, payment: order }, 'a-key');
  });
  beforeEach(() => void (keys = []));
  afterAll(() => new Promise((resolve) => server.close(resolve)));

  const post = (signal = AbortSignal.timeout(10_000)) =>
    client.ask('order', '/orders', { method: 'POST', body: {}, headers: { 'idempotency-key': 'k' } }, signal);

  it('R51 asks again with the same key when it is cut off, told to come again, or somebody else is at it', async () => {
    answers = [
      { status: 0, body: '' },
      { status: 503, body: '{}' },
      { status: 409, body: '{"code":"idempotency_key_in_use"}' },
      { status: 201, body: '{"id":"o-1"}' },
    ];
    expect(await post()).toEqual({ status: 201, body: { id: 'o-1' } });
    expect(keys).toEqual(['k', 'k', 'k', 'k']);
  });

  it('R51 takes a refusal as it is, and an answer that is no JSON as empty', async () => {
    answers = [
      { status: 422, body: '{"code":"unknown_sku"}' },
      { status: 200, body: '<html>' },
    ];
    expect(await post()).toEqual({ status: 422, body: { code: 'unknown_sku' } });
    expect(await post()).toEqual({ status: 200, body: {} });
  });

  it('R45 stops when its time is over', async () => {
    answers = Array.from({ length: 50 }, () => ({ status: 500, body: '' }));
    await expect(post(AbortSignal.timeout(600))).rejects.toThrow(/timeout/);
  });
});
