import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { OpsError } from './ask';
import { runOps } from './ops';

const ID = '019a0000-0000-7000-8000-000000000001';
const letter = {
  id: ID,
  messageId: 'saga/charge/do',
  type: 'payment.charge.v1',
  deliveries: 5,
  lastError: 'Error: out of luck\nand more',
  lastSeenAt: '2026-01-01T00:00:00.000Z',
  state: 'open',
};

/** Requests as `METHOD path`, with the bodies of the POSTs. */
let asked: string[];
const servers: Server[] = [];
let env: NodeJS.ProcessEnv;

/** A service that has these letters; the list comes in pages of one. */
async function startService(letters: (typeof letter)[]): Promise<string> {
  const server = createServer((request, response) => {
    void textOf(request).then((text) => {
      asked.push(`${request.method} ${request.url} ${text}`.trim());
      const { pathname, searchParams } = new URL(request.url!, 'http://any');
      const [, , id, verb] = pathname.split('/');
      const found = letters.find((one) => one.id === id);
      const at = Number(searchParams.get('cursor') ?? 0);
      const page = { items: letters.slice(at, at + 1), next: at + 1 < letters.length ? String(at + 1) : null };
      const known = id === undefined ? page : found && verb ? { ...found, state: `${verb}ed` } : found;
      const allowed = request.headers.authorization === 'Bearer dev-key';
      const status = !allowed ? 401 : known ? 200 : 404;
      const content = JSON.stringify({ hello: 'world' });
      const body = status === 200 ? { ...known, ...(id && !verb && { content }) } : { detail: 'not for you' };
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    });
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

beforeEach(async () => {
  asked = [];
  env = {
    ORDER_URL: await startService([]),
    INVENTORY_URL: await startService([]),
    FULFILMENT_URL: await startService([]),
    PAYMENT_URL: await startService([letter, { ...letter, id: ID.replace(/1$/, '2') }]),
  };
});
afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

const run = async (...argv: string[]) => (await runOps(['dead-letters', ...argv], env)).join('\n');

describe('R46 npm run ops -- dead-letters', () => {
  it('R46 lists the open ones of all services, to the last page', async () => {
    const lines = (await run('list')).split('\n');
    expect(lines).toHaveLength(3);
    expect(lines[1]).toMatch(new RegExp(`^payment +${ID} +open .* 5 +saga/charge/do +Error: out of luck$`));
    expect(asked.every((line) => line.includes('state=open'))).toBe(true);
    await run('list', '--state', 'all');
    expect(asked.at(-1)).not.toContain('state');
  });

  it('R46 says so when there are none', async () => {
    env['PAYMENT_URL'] = env['ORDER_URL'];
    expect(await run('list')).toBe('There is none.');
  });

  it('R46 shows one with its message, whichever service has it', async () => {
    expect(JSON.parse(await run('show', ID))).toMatchObject({
      service: 'payment',
      id: ID,
      message: { hello: 'world' },
    });
  });

  it('R46 replays and discards one, with the reason', async () => {
    expect(await run('replay', ID, '--reason', 'mended')).toBe('replayed: saga/charge/do in payment');
    expect(asked.at(-1)).toBe(`POST /dead-letters/${ID}/replay {"reason":"mended"}`);
    expect(await run('discard', ID, '--reason', 'sold by telephone')).toMatch(/^discarded: /);
  });

  it('R46 shows nothing that a terminal would obey', async () => {
    const evil = { ...letter, messageId: '\x1b[2J', lastError: 'out\x9b2J of\x07luck\nand more' };
    env['PAYMENT_URL'] = await startService([evil]);
    const shown = [await run('list'), await run('show', ID), await run('replay', ID, '--reason', 'mended')].join('\n');
    expect(shown.match(/\\(x1b|u001b)\[2J/g)).toHaveLength(3);
    expect(shown.match(/\\x9b2J/g)).toHaveLength(2);
    expect(shown.replaceAll('\n', '')).not.toMatch(/\p{Cc}/u);
  });

  it.each([
    [[]],
    [['lists']],
    [['list', ID]],
    [['show']],
    [['show', ID, '--reason', 'x']],
    [['replay', ID]],
    [['discard', ID, '--reason']],
    [['replay', ID, 'more', '--reason', 'x']],
    [['list', '--colour']],
  ])('R46 tells in one sentence how it is used: %j', async (argv) => {
    await expect(run(...argv)).rejects.toThrow(OpsError);
    await expect(run(...argv)).rejects.toThrow(/^[^\n]+\.$/);
    expect(asked).toEqual([]);
  });

  it('R46 says in one sentence why it cannot be done', async () => {
    await expect(run('show', 'nobody')).rejects.toThrow('No service has a dead letter nobody.');
    env['API_KEY'] = 'wrong';
    await expect(run('list')).rejects.toThrow(/^The (order|inventory|payment) service says no: not for you\.$/);
    env['ORDER_URL'] = 'http://127.0.0.1:1';
    await expect(run('list')).rejects.toThrow(
      /^The order service did not answer at http:\/\/127\.0\.0\.1:1 .* is ORDER_URL right/,
    );
  });
});
