import { execFile } from 'node:child_process';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { OpsError } from '../ops/ask';
import { ownServices } from '../services';
import type { Backfill } from './backfills';
import { runBackfill } from './run';

const idle: Backfill = {
  name: 'old-orders',
  title: 'Points for old orders',
  status: 'idle',
  runs: 0,
  worked: 0,
  estimate: null,
  ratePerSecond: 200,
  lastError: null,
  startedAt: null,
  workedAt: null,
  endedAt: null,
};

/** What the services have: fulfilment and order have a backfill each, and the others know no such address. */
let rows: Map<string, Backfill>;
let wishes: object[];
/** What becomes of it at each further look. */
let looks: (Partial<Backfill> | 'broken')[];
let servers: Server[];
let env: NodeJS.ProcessEnv;

async function answerTo(service: string, request: IncomingMessage): Promise<{ status: number; body: object }> {
  const here = [...rows.values()].filter(({ name }) => (name === 'old-orders') === (service === 'fulfilment'));
  if (service !== 'fulfilment' && service !== 'order') return { status: 404, body: { code: 'not_found' } };
  const { pathname } = new URL(request.url!, 'http://any');
  if (pathname === '/backfills') return { status: 200, body: { items: here, next: null } };
  const row = here.find(({ name }) => pathname === `/backfills/${name}`)!;
  if (request.method === 'PUT') {
    const wish = JSON.parse(await text(request)) as Partial<Backfill>;
    wishes.push(wish);
    Object.assign(row, { status: wish.status, ratePerSecond: wish.ratePerSecond ?? row.ratePerSecond });
  } else {
    const look = looks.shift();
    if (look === 'broken') return { status: 503, body: { code: 'unavailable', detail: 'not now' } };
    Object.assign(row, look);
  }
  return { status: 200, body: row };
}

async function startService(name: string): Promise<string> {
  const server = createServer((request, response) => {
    void answerTo(name, request).then(({ status, body }) => {
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    });
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

beforeEach(async () => {
  [wishes, looks, servers] = [[], [], []];
  rows = new Map([idle, { ...idle, name: 'confirmed-at', title: 'Times' }].map((row) => [row.name, { ...row }]));
  const urls = await Promise.all(
    ownServices.map(async (name) => [`${name.toUpperCase()}_URL`, await startService(name)]),
  );
  env = Object.fromEntries(urls) as NodeJS.ProcessEnv;
});
afterEach(async () => {
  for (const server of servers) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

async function run(...argv: string[]): Promise<{ lines: string[]; shown: string[] }> {
  const [lines, shown]: string[][] = [[], []];
  const stop = new AbortController();
  await runBackfill(argv, env, {
    write: (line) => lines!.push(line),
    progress: () => ({
      show: ({ status, worked }) => {
        shown!.push(`${status} ${worked}`);
        if (worked === 666) stop.abort();
      },
      end: () => shown!.push('end'),
    }),
    stop: stop.signal,
    everyMs: 1,
  });
  return { lines: lines!, shown: shown! };
}

describe('npm run backfill', () => {
  it('R42 lists those of all services, and tells about one', async () => {
    Object.assign(rows.get('old-orders')!, { status: 'paused', worked: 1_200, estimate: 4_000, runs: 1 });
    const { lines } = await run('list');
    expect(lines).toEqual([
      'SERVICE     NAME          STATUS  WORKED ON                         AT MOST  WHAT',
      'fulfilment  old-orders    paused  1,200 of about 4,000 rows (30 %)  200/s    Points for old orders',
      'order       confirmed-at  idle    0 rows                            200/s    Times',
    ]);
    expect((await run('status')).lines).toEqual(lines);
    Object.assign(rows.get('old-orders')!, { startedAt: '2026-03-01T12:00:00.000Z', lastError: 'order is away' });
    expect((await run('status', 'old-orders')).lines).toEqual([
      'old-orders of fulfilment: Points for old orders',
      '  paused, 1,200 of about 4,000 rows (30 %), at most 200 rows/s, run 1',
      '  begun 2026-03-01T12:00:00.000Z',
      '  the last try failed: order is away',
    ]);
  });

  it('R42 runs one, and watches it over a restart of its service until it is done', async () => {
    looks = [{ worked: 10 }, 'broken', { worked: 20 }, { worked: 30, status: 'done', runs: 1 }];
    const { lines, shown } = await run('run', 'old-orders', '--rate', '50');
    expect(wishes).toEqual([{ status: 'running', ratePerSecond: 50, run: 1 }]);
    expect(shown).toEqual(['running 0', 'running 10', 'running 10', 'running 20', 'done 30', 'end']);
    expect(lines).toEqual(['old-orders is done: 30 rows.']);
  });

  it('R42 runs one that is done only when it is said so', async () => {
    Object.assign(rows.get('old-orders')!, { status: 'done', runs: 3 });
    await expect(run('run', 'old-orders')).rejects.toThrow(/^old-orders is done; .* --again /);
    await run('run', 'old-orders', '--again', '--detach');
    expect(wishes).toEqual([{ status: 'running', run: 4 }]);
  });

  it('R42 says why one gave up, and fails', async () => {
    looks = [{ worked: 10, status: 'failed', lastError: 'no such column' }];
    await expect(run('run', 'old-orders')).rejects.toThrow(
      new OpsError('old-orders gave up after 10 rows: no such column.'),
    );
  });

  it('R42 pauses, and goes on where it was', async () => {
    Object.assign(rows.get('old-orders')!, { status: 'running', runs: 1, worked: 10 });
    await expect(run('resume', 'old-orders')).rejects.toThrow('old-orders is running, and not paused.');
    expect((await run('pause', 'old-orders')).lines).toEqual(['old-orders is paused: 10 rows.']);
    expect((await run('resume', 'old-orders', '--detach')).lines).toEqual(['old-orders runs in fulfilment: 10 rows.']);
    expect(wishes).toEqual([{ status: 'paused' }, { status: 'running', run: 1 }]);
  });

  it('R42 leaves it running when the watching ends', async () => {
    looks = [{ worked: 666 }];
    const { lines } = await run('run', 'old-orders');
    expect(lines).toEqual([
      'old-orders runs on in fulfilment: 666 rows; npm run backfill -- pause old-orders stops it.',
    ]);
    expect(wishes).toHaveLength(1);
  });

  it('R42 finds one while another service is away, and says so where that matters', async () => {
    env['PAYMENT_URL'] = 'http://127.0.0.1:1';
    expect((await run('status', 'old-orders')).lines[0]).toMatch(/^old-orders of fulfilment/);
    await expect(run('status', 'lost')).rejects.toThrow(/^The payment service did not answer/);
    await expect(run('list')).rejects.toThrow(/^The payment service did not answer/);
  });

  it('R42 names those that there are when there is no such one', async () => {
    await expect(run('run', 'lost')).rejects.toThrow(
      new OpsError('No service has a backfill lost; there are old-orders, confirmed-at.'),
    );
  });

  it('R42 is a process that tells in lines where there is no terminal, and fails with one sentence', async () => {
    const start = (...argv: string[]) =>
      promisify(execFile)(process.execPath, [join(__dirname, '../../../start.cjs'), 'backfill', ...argv], {
        env: { ...process.env, ...env },
      });
    looks = [{ worked: 30, status: 'done', runs: 1 }];
    const { stdout } = await start('run', 'old-orders');
    expect(stdout.split('\n')).toEqual([
      'old-orders: running, 0 rows',
      expect.stringMatching(/^old-orders: done, 30 rows/),
      'old-orders is done: 30 rows.',
      '',
    ]);
    const failed = (await start('run', 'lost').catch((error: unknown) => error)) as { code: number; stderr: string };
    expect(failed).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^No service has a backfill lost[^\n]+\n$/),
    });
  });
});
