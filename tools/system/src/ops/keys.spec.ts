import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { OpsError } from './ask';
import { runOps } from './ops';

interface Key {
  id: string;
  tenant: string;
  principal: string;
  roles: string[];
  sha256?: string;
  expiresAt: string | null;
  revokedAt: string | null;
  lastUsedAt: string | null;
}

const names = ['order', 'inventory', 'payment', 'fulfilment'] as const;
/** What each service has, and which requests came. */
let keys: Record<(typeof names)[number], Map<string, Key>>;
let asked: string[];
let brokenAt: string | undefined;
let servers: Server[];
let env: NodeJS.ProcessEnv;

async function textOf(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of request) text += String(chunk);
  return text;
}

/** A service in few words; a list comes in pages of one. */
async function startService(name: (typeof names)[number]): Promise<string> {
  const server = createServer((request, response) => {
    void textOf(request).then((text) => {
      const { pathname, searchParams } = new URL(request.url!, 'http://any');
      asked.push(`${name} ${request.method} ${request.url} ${text}`.trim());
      const answer = (status: number, body?: object) => {
        response.writeHead(status, { 'content-type': 'application/json' }).end(body && JSON.stringify(body));
      };
      const id = pathname.split('/')[2];
      const mine = keys[name];
      if (request.method === 'GET') {
        const at = Number(searchParams.get('cursor') ?? 0);
        const all = [...mine.values()];
        return answer(200, { items: all.slice(at, at + 1), next: at + 1 < all.length ? String(at + 1) : null });
      }
      if (brokenAt === name) return answer(503, { code: 'unavailable', detail: 'not now' });
      if (request.method === 'DELETE') {
        if (!mine.has(id!)) return answer(404, { code: 'api_key_not_found', detail: 'there is no such API key' });
        mine.get(id!)!.revokedAt = '2026-01-02T00:00:00.000Z';
        return response.writeHead(204).end();
      }
      const body = JSON.parse(text) as Key;
      mine.set(id!, {
        ...body,
        id: id!,
        tenant: 'demo',
        expiresAt: body.expiresAt ?? null,
        revokedAt: null,
        lastUsedAt: null,
      });
      return answer(201, {});
    });
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

beforeEach(async () => {
  [asked, brokenAt, servers] = [[], undefined, []];
  keys = { order: new Map(), inventory: new Map(), payment: new Map(), fulfilment: new Map() };
  const [ORDER_URL, INVENTORY_URL, PAYMENT_URL, FULFILMENT_URL] = await Promise.all(names.map(startService));
  env = { ORDER_URL, INVENTORY_URL, PAYMENT_URL, FULFILMENT_URL };
});
afterEach(async () => {
  for (const server of servers) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

const run = async (...argv: string[]): Promise<string> => (await runOps(['keys', ...argv], env)).join('\n');
const add = (id = 'front', ...more: string[]) =>
  run('add', id, '--principal', 'shop-front', '--roles', 'customer+operator', ...more);

describe('R54 npm run ops -- keys', () => {
  it('R54 makes a key, tells all services its hash, and shows it once', async () => {
    const shown = await add('front', '--expires', '2099-01-01T00:00:00Z');
    const secret = /shown only now: ([\w-]{43})$/.exec(shown)![1]!;
    const sha256 = createHash('sha256').update(secret).digest('hex');
    for (const name of names) {
      expect(keys[name].get('front')).toMatchObject({
        sha256,
        principal: 'shop-front',
        roles: ['customer', 'operator'],
        expiresAt: '2099-01-01T00:00:00.000Z',
      });
    }
    expect(asked.join()).not.toContain(secret);
    expect(await add('back')).not.toContain(secret);
  });

  it('R54 does nothing when one service is not there, and leaves nothing when one refuses', async () => {
    env['PAYMENT_URL'] = 'http://127.0.0.1:1';
    await expect(add()).rejects.toThrow(/^The payment service did not answer/);
    expect(asked.filter((line) => line.includes('PUT'))).toEqual([]);
    [env['PAYMENT_URL'], brokenAt] = [await startService('payment'), 'order'];
    await expect(add()).rejects.toThrow(
      /^The order service says no: not now .* revoked again in .*, so use another ID\.$/,
    );
    expect(['inventory', 'payment'].map((name) => keys[name as 'payment'].get('front')?.revokedAt)).not.toContain(null);
    expect(keys.order.size).toBe(0);
  });

  it('R54 revokes one in all services, and says where it could not', async () => {
    await add();
    expect(await run('revoke', 'front')).toMatch(/^revoked: front in .*order.*$/);
    for (const name of names) expect(keys[name].get('front')!.revokedAt).not.toBeNull();
    await expect(run('revoke', 'nobody')).rejects.toThrow('No service has a key nobody.');
    brokenAt = 'payment';
    await expect(run('revoke', 'front')).rejects.toThrow(
      /^Revoked in inventory, fulfilment, order only, so do it again\. The payment/,
    );
  });

  it('R54 lists them, with the services in which each is good', async () => {
    expect(await run('list')).toBe('There is none.');
    await add('front');
    await add('back');
    keys.payment.get('front')!.revokedAt = '2026-01-02T00:00:00.000Z';
    keys.order.get('front')!.lastUsedAt = '2026-01-03T00:00:00.000Z';
    await run('revoke', 'back');
    const [head, ...rows] = (await run('list')).split('\n');
    expect(head).toMatch(/^ID +PRINCIPAL +ROLES +EXPIRES +LAST USED +GOOD IN$/);
    expect(rows).toEqual([
      expect.stringMatching(/^back +shop-front +customer\+operator +never +never +revoked$/),
      expect.stringMatching(
        /^front +shop-front +customer\+operator +never +2026-01-03T00:00:00.000Z +inventory fulfilment order$/,
      ),
    ]);
    expect(asked.join()).not.toContain('tenant');
    await run('list', '--tenant', 'acme');
    expect(asked.at(-1)).toContain('tenant=acme');
  });

  it.each([
    [[]],
    [['lists']],
    [['list', 'front']],
    [['add']],
    [['add', 'front', '--principal', 'p']],
    [['add', 'front', '--roles', 'customer']],
    [['add', 'front', '--principal', 'p', '--roles', 'customer', '--expires', 'soon']],
    [['add', 'front', 'more', '--principal', 'p', '--roles', 'customer']],
    [['revoke']],
    [['revoke', 'front', '--reason', 'x']],
    [['revoke', 'front', '--tenant']],
  ])('R54 tells in one sentence how it is used: %j', async (argv) => {
    await expect(run(...argv)).rejects.toThrow(OpsError);
    await expect(run(...argv)).rejects.toThrow(/^[^\n]+\.$/);
    expect(asked).toEqual([]);
  });
});
