import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { OpsError } from './ask';
import { runOps } from './ops';
import type { SagaDetails } from './saga-report';

const ID = '01a20621-a6cd-74b9-a1c3-459d717a98c4';
const line = {
  id: ID,
  definition: 'place-order',
  version: 1,
  status: 'parked',
  step: 'charge',
  action: 'undo',
  attempt: 20,
  reason: 'timed_out',
  updatedAt: '2026-03-01T10:00:00.000Z',
  orderId: 'o-1',
};
const saga: SagaDetails = {
  ...line,
  deadlineAt: null,
  history: [
    { at: '2026-03-01T09:59:00.000Z', event: 'started', from: 'new', to: 'reserve.do', attempt: 1 },
    {
      at: '2026-03-01T10:00:00.000Z',
      event: 'operator.skip',
      from: 'parked',
      to: 'reserve.undo',
      attempt: 20,
      detail: { by: 'olga', reason: 'refunded by hand' },
    },
  ],
};

/** Requests as `METHOD path`, with the bodies of the POSTs; and their keys. */
let asked: string[];
let keys: (string | undefined)[];
/** What the order service answers, by `METHOD path`; the rest is 404. */
let answers: Record<string, { status?: number; body: unknown; type?: string }>;
let server: Server;
let env: NodeJS.ProcessEnv;

beforeEach(async () => {
  asked = [];
  keys = [];
  answers = {};
  server = createServer((request, response) => {
    void textOf(request).then((text) => {
      asked.push(`${request.method} ${request.url} ${text}`.trim());
      keys.push(request.headers['idempotency-key'] as string | undefined);
      const unknown = { status: 404, body: { code: 'not_found', detail: 'there is none' }, type: undefined };
      const { status = 200, body, type = 'application/json' } = answers[`${request.method} ${request.url}`] ?? unknown;
      response.writeHead(status, { 'content-type': type });
      response.end(typeof body === 'string' ? body : JSON.stringify(body));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  env = { ORDER_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}/` };
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

const run = (...argv: string[]) => runOps(['sagas', ...argv], env);

describe('R6 npm run ops -- sagas', () => {
  it('R6 lists sagas as a table', async () => {
    const items = [line, { ...line, id: 'x', reason: undefined, attempt: 1 }];
    answers['GET /sagas?limit=200&status=parked'] = { body: { items, next: null } };
    expect(await run('list', '--status', 'parked')).toEqual([
      'SAGA                                  DEFINITION      STATUS  AWAITS       ATTEMPT  REASON     SINCE                     ORDER',
      `${ID}  place-order v1  parked  charge.undo  20       timed_out  2026-03-01T10:00:00.000Z  o-1`,
      'x                                     place-order v1  parked  charge.undo  1                   2026-03-01T10:00:00.000Z  o-1',
    ]);
  });

  it('R49 finds sagas by any id, with why they are parked, and says where it could not look', async () => {
    const items = [{ ...line, parkedReason: 'undo_unanswered' }];
    answers['GET /sagas?limit=200&q=pmt_1%2F'] = { body: { items, next: null, degraded: ['payment'] } };
    const lines = await run('find', 'pmt_1/');
    expect(lines[1]).toContain(' undo_unanswered ');
    expect(lines.at(-1)).toBe('Not looked at: payment. There may be more.');
  });

  it('R49 shows groups of parked sagas', async () => {
    const times = { firstAt: '2026-03-01T10:00:00.000Z', lastAt: '2026-03-01T11:00:00.000Z' };
    const group = { definition: 'place-order', step: 'charge', action: 'undo', count: 12, ...times };
    const groups = [
      { ...group, reason: 'undo_unanswered' },
      { ...group, reason: null },
    ];
    answers['GET /sagas/groups'] = { body: { groups } };
    expect(await run('groups')).toEqual([
      'COUNT  DEFINITION   STANDS AT    REASON           FIRST                     LAST',
      '12     place-order  charge.undo  undo_unanswered  2026-03-01T10:00:00.000Z  2026-03-01T11:00:00.000Z',
      '12     place-order  charge.undo                   2026-03-01T10:00:00.000Z  2026-03-01T11:00:00.000Z',
    ]);
    answers['GET /sagas/groups'] = { body: { groups: [] } };
    expect(await run('groups')).toEqual(['No saga is parked.']);
  });

  it('R6 says when there are none, and when there are more', async () => {
    answers['GET /sagas?limit=200'] = { body: { items: [], next: null } };
    expect(await run('list')).toEqual(['No such sagas.']);
    answers['GET /sagas?limit=200'] = { body: { items: [line], next: ID } };
    expect((await run('list')).at(-1)).toBe('These are the newest 1; there are more.');
  });

  const story = [
    `place-order v1 ${ID}`,
    'parked (timed_out), awaiting charge.undo, attempt 20',
    'since 2026-03-01T09:59:00.000Z',
    '     +0 ms  new → reserve.do             started',
    ' +60000 ms  parked → reserve.undo        operator.skip, attempt 20, by olga, reason refunded by hand',
  ];

  it('R6 shows where a saga stands, how it got there, and who took a hand in it', async () => {
    answers[`GET /sagas/${ID}`] = { body: saga };
    expect(await run('show', ID)).toEqual(story);
  });

  it('R6 shows the sagas of an order by the id of the order', async () => {
    const cancelledBy = { ...saga, id: 'c-1', definition: 'cancel-order' };
    answers['GET /orders/o-1/saga'] = { body: { ...saga, cancelledBy } };
    expect(await run('show', 'o-1')).toEqual([...story, '', 'cancel-order v1 c-1', ...story.slice(1)]);
    // The usual case: the placing saga has the id of the order.
    answers[`GET /sagas/${ID}`] = { body: saga };
    answers[`GET /orders/${ID}/saga`] = { body: { ...saga, cancelledBy } };
    expect(await run('show', ID)).toHaveLength(2 * story.length + 1);
  });

  it('R6 shows the saga that was asked for where an order of the same id has another', async () => {
    answers[`GET /sagas/${ID}`] = { body: saga };
    answers[`GET /orders/${ID}/saga`] = { body: { ...saga, id: 'another' } };
    expect(await run('show', ID)).toEqual(story);
  });

  it('R6 acts under a key of its own each time, and shows what came of it', async () => {
    const deadlineAt = '2026-03-01T10:00:03.000Z';
    const moving = { ...saga, status: 'compensating', step: 'reserve', attempt: 1, deadlineAt };
    answers[`POST /sagas/${ID}/acts`] = { status: 201, body: moving };
    const skip = ['skip', ID, '--reason', 'refunded by hand'];
    expect((await run(...skip))[1]).toBe(
      'compensating (timed_out), awaiting reserve.undo, attempt 1, until 2026-03-01T10:00:03.000Z',
    );
    await run(...skip);
    const call = `POST /sagas/${ID}/acts {"act":"skip","reason":"refunded by hand"}`;
    expect(asked).toEqual([call, call]);
    for (const key of keys) expect(key).toMatch(/^[0-9a-f-]{36}$/);
    expect(keys[0]).not.toBe(keys[1]);
  });

  it('R6 shows an ended saga as awaiting nothing', async () => {
    answers[`GET /sagas/${ID}`] = { body: { ...saga, status: 'completed', reason: undefined } };
    expect((await run('show', ID))[1]).toBe('completed');
  });

  it('R6 asks for an id as it is written, whatever it contains', async () => {
    await expect(run('show', '../orders?x')).rejects.toThrow('There is no saga and no order ../orders?x.');
    expect(asked.sort()).toEqual(['GET /orders/..%2Forders%3Fx/saga', 'GET /sagas/..%2Forders%3Fx']);
  });

  it('R6 shows nothing that a terminal would obey', async () => {
    const evil = '\x1b[2J\nall is well';
    const history = [{ ...saga.history[1]!, detail: { by: evil, reason: evil } }];
    answers['GET /sagas?limit=200'] = { body: { items: [{ ...line, reason: evil }], next: null } };
    answers[`GET /sagas/${ID}`] = { body: { ...saga, reason: evil, history } };
    answers[`POST /sagas/${ID}/acts`] = { status: 409, body: { code: 'no', detail: evil } };
    const refused = run('retry', ID).catch((error: Error) => [error.message]);
    const shown = [...(await run('list')), ...(await run('show', ID)), ...(await refused)];
    expect(shown.filter((text) => text.includes('\\x1b[2J\\nall is well'))).toHaveLength(4);
    for (const text of shown) expect(text).not.toMatch(/\p{Cc}/u);
  });

  it('R6 tells in one sentence why something is not possible', async () => {
    const detail = 'only the step at which a saga is parked can be skipped';
    answers[`POST /sagas/${ID}/acts`] = { status: 409, body: { code: 'act_not_possible', detail } };
    const refused = run('skip', ID, '--reason', 'x');
    await expect(refused).rejects.toThrow(`The order service says no: ${detail} (act_not_possible).`);
    await expect(refused).rejects.toBeInstanceOf(OpsError);
    answers[`GET /sagas/${ID}`] = { status: 502, body: {} };
    await expect(run('show', ID)).rejects.toThrow('The order service says no: status 502.');
  });

  it.each([
    ['<p>It works!</p>', 'text/html'],
    ['null', 'application/json'],
  ])('R6 tells when somebody else answers: %s', async (body, type) => {
    answers['GET /sagas?limit=200'] = { body, type };
    await expect(run('list')).rejects.toThrow(
      /^What answers at .* \(status 200\) is not the order service; set ORDER_URL\.$/,
    );
  });

  it('R6 tells when nobody answers', async () => {
    env['ORDER_URL'] = 'http://127.0.0.1:1';
    await expect(run('show', ID)).rejects.toThrow(
      /^The order service did not answer at http:\/\/127\.0\.0\.1:1 \(.*\): is it running, is ORDER_URL right, and, after an act, what does show say\?$/,
    );
    env['ORDER_URL'] = 'nowhere';
    await expect(run('list')).rejects.toThrow(/^The order service did not answer at nowhere /);
  });
});
