import { randomUUID } from 'node:crypto';
import { createLogger, type Logger } from '@shop/observability';
import { type Database, traffic } from '@shop/postgres';
import { eventually, useStack } from '@shop/testing';
import { register } from 'prom-client';
import {
  type Call,
  codeOf,
  migrateLedger,
  type NotesApp,
  NotesController,
  notesOf,
  openNotes,
  type Response,
  startApp,
  textOf,
} from '../../testing/notes-app';
import { Idempotency, Ledger } from '../index';
import { tenantPrefix } from './caller';

const stack = useStack({ templateKey: 'ledger', migrate: migrateLedger });

let database: Database;
let app: NotesApp;
const lines: { event: string; decision?: string; route?: string; keyHash?: string }[] = [];
const logger = createLogger({ service: 'test', level: 'silent', format: 'json' });

beforeAll(async () => {
  database = await openNotes(stack.databaseUrl);
  const listening = Object.assign(Object.create(logger) as Logger, {
    info: (fields: object, event: string) => void lines.push({ ...fields, event }),
  });
  app = await startApp({ database, logger: listening, leaseMs: 60_000 });
});
afterAll(async () => {
  await app.close();
  await database.close();
});

const post = (call: Call) => app.post(call);
const notes = (text: string) => notesOf(database, text);
const isReplay = ({ headers }: { headers: Record<string, unknown> }) => headers['idempotent-replayed'] === 'true';
const statements = async (work: () => Promise<unknown>): Promise<number> => {
  const before = traffic.statements;
  await work();
  return traffic.statements - before;
};
const decided = async (decision: string): Promise<number> => {
  const metric = await register.getSingleMetric('idempotency_decisions_total')!.get();
  return metric.values.find(({ labels }) => labels['decision'] === decision)?.value ?? 0;
};

describe('once', () => {
  it('R12 does the work once and repeats its answer', async () => {
    const call = { url: '/memos', key: randomUUID(), body: textOf('memo') };
    const first = await post(call);
    const second = await post(call);
    expect(first.status).toBe(201);
    expect([second.status, second.body, isReplay(second)]).toEqual([201, first.body, true]);
    expect(await notes('memo')).toBe(1);
  });

  it('R16 does it once for a hundred at the same time', async () => {
    const call = { url: '/memos', key: randomUUID(), body: textOf('memos') };
    const answers = await Promise.all(Array.from({ length: 100 }, () => post(call)));
    expect(new Set(answers.map(({ status, body }) => `${status} ${body}`)).size).toBe(1);
    expect(answers.filter(isReplay)).toHaveLength(99);
    expect(await notes('memos')).toBe(1);
  });

  it('R19 keeps a refusal that was thrown, and nothing of the work', async () => {
    const call = { url: '/memos', key: randomUUID(), body: textOf('impossible') };
    expect(codeOf(await post(call))).toBe('422 impossible');
    const again = await post(call);
    expect([codeOf(again), isReplay(again)]).toEqual(['422 impossible', true]);
    expect(await notes('impossible')).toBe(0);
  });

  it.each([
    ['forbidden', '403 forbidden'],
    ['later', '503 later'],
  ])(
    'R19 keeps nothing of %p, neither answer nor work, and the key may come with another request',
    async (text, code) => {
      const call = { url: '/memos', key: randomUUID(), body: textOf(text) };
      for (const again of [await post(call), await post(call)]) {
        expect([codeOf(again), isReplay(again)]).toEqual([code, false]);
      }
      expect(await notes(text)).toBe(0);
      expect((await post({ ...call, body: textOf('fine') })).status).toBe(201);
    },
  );

  it('R17 costs a fresh request one statement in its transaction, behind one read; a repeat costs the read', async () => {
    const call = { url: '/memos', key: randomUUID(), body: textOf('counted') };
    const [begin, work, commit] = [1, 1, 1];
    const [find, record] = [1, 1];
    expect(await statements(() => post(call))).toBe(find + begin + work + record + commit);
    expect(await statements(() => post(call))).toBe(find);
    expect(await statements(() => post({ ...call, body: textOf('other') }))).toBe(find);
  });
});

describe('a route with a policy of its own', () => {
  const call = (text: string) => ({ url: '/tickets', key: randomUUID(), body: textOf(text) });

  it('R12 answers repeats with 200, and R26 without what is redacted', async () => {
    const ticket = call('ticket');
    const first = await post(ticket);
    const second = await post(ticket);
    expect([first.status, JSON.parse(first.body)]).toEqual([201, { text: 'ticket', secret: 'hush' }]);
    expect([second.status, JSON.parse(second.body)]).toEqual([200, { text: 'ticket', secret: null }]);
    expect(isReplay(second)).toBe(true);
    const stored = await database.query({
      name: 'test.stored',
      text: `select 1 from ledger where answer_body like '%hush%'`,
    });
    expect(stored).toEqual([]);
  });

  it('R14 answers another request under a used key with 422', async () => {
    const ticket = call('mine');
    await post(ticket);
    expect(codeOf(await post({ ...ticket, body: textOf('other') }))).toBe('422 idempotency_key_reused');
  });

  it('R16 answers a key that is in use with 429 and Retry-After', async () => {
    const ticket = call('busy');
    await post({ ...ticket, key: randomUUID() });
    await lease({ ...NotesController.claim, key: ticket.key });
    const busy = await post({ ...ticket, headers: { prefer: 'wait=0' } });
    expect(codeOf(busy)).toBe('429 idempotency_key_in_use');
    expect(busy.headers['retry-after']).toBe('1');
    expect(JSON.parse(busy.body)).toMatchObject({
      state: 'processing',
      statusUrl: `/idempotency-keys/${ticket.key}`,
    });
  });

  it('R20 keeps its answers as long as it says', async () => {
    const ticket = call('short');
    await post(ticket);
    const { createdAt, expiresAt } = (await statesOf(ticket.key))[0]!;
    expect((Date.parse(expiresAt!) - Date.parse(createdAt)) / 3_600_000).toBeCloseTo(24);
  });

  it('R24 and every other is told by the OpenAPI document', async () => {
    const { paths } = JSON.parse((await app.get('/openapi.json')).body) as {
      paths: Record<string, { post: { 'x-idempotency': object; responses: Record<string, object> } }>;
    };
    expect(paths['/tickets']!.post['x-idempotency']).toEqual({
      strategy: 'atomic',
      stored: '2xx, 3xx, 402, 404, 409, 410, 422',
      notStored: 'other 4xx, 5xx',
      retentionHours: 24,
      replayStatus: 200,
      inUseStatus: 429,
      mismatchStatus: 422,
      redacted: ['secret'],
    });
    expect(JSON.stringify(paths['/tickets']!.post.responses['429'])).toContain('idempotency_key_in_use');
    expect(paths['/errands']!.post['x-idempotency']).toMatchObject({ strategy: 'leased', retentionHours: 72 });
  });
});

describe('R24 GET /idempotency-keys/{key}', () => {
  it('R24 shows a caller its own key on each route where it was used, and nobody else', async () => {
    const key = randomUUID();
    await post({ key, body: textOf('seen') });
    await post({ key, url: '/memos', body: textOf('impossible') });
    await lease({ ...NotesController.claim, key, scope: 't1|alice|POST /folders/:folder/notes' });
    expect(await statesOf(key)).toEqual([
      { route: 'POST /notes', state: 'completed', answerStatus: 201, ...times },
      { route: 'POST /memos', state: 'completed', answerStatus: 422, ...times },
      { route: 'POST /folders/:folder/notes', state: 'processing', createdAt: expect.any(String) },
    ]);
    for (const other of ['bob', 'elsewhere']) {
      expect(codeOf(await app.get(`/idempotency-keys/${key}`, other))).toBe('404 idempotency_key_unknown');
    }
    expect(codeOf(await app.get(`/idempotency-keys/${randomUUID()}`))).toBe('404 idempotency_key_unknown');
    expect(codeOf(await app.get(`/idempotency-keys/${'%20'}`))).toBe('400 idempotency_key_invalid');
  });

  it('R24 takes any key, in either spelling', async () => {
    const key = 'a/b?c#"d\\e%';
    await post({ key, body: textOf('odd') });
    expect(await statesOf(key)).toHaveLength(1);
    expect(await statesOf('"a/b?c#\\"d\\\\e%"')).toHaveLength(1);
  });
});

describe('R26 erasing a tenant', () => {
  it('R26 leaves no answer of it, and a repeat of a key says so', async () => {
    const mine = { key: randomUUID(), body: textOf('private'), as: 'elsewhere' };
    const other = { key: randomUUID(), body: textOf('public') };
    for (const call of [mine, other]) await post(call);
    expect(await app.app.get(Idempotency).erase(tenantPrefix('t2'))).toBe(1);
    const again = await post(mine);
    expect(codeOf(again)).toBe('410 idempotency_key_erased');
    expect(again.body).not.toContain('private');
    expect(await notes('private')).toBe(1);
    expect(isReplay(await post(other))).toBe(true);
    expect(JSON.parse((await app.get(`/idempotency-keys/${mine.key}`, 'elsewhere')).body)).toMatchObject({
      requests: [{ state: 'erased' }],
    });
  });
});

describe('R25 every decision', () => {
  it('R25 is counted, and logged in one line that does not have the key', async () => {
    const key = `secret-${randomUUID()}`;
    const before = await Promise.all(['fresh', 'replayed', 'conflicted'].map(decided));
    lines.length = 0;
    await post({ key, body: textOf('told') });
    await post({ key, body: textOf('told') });
    await post({ key, body: textOf('told otherwise') });
    const told = lines.filter(({ event }) => event === 'idempotency.decided');
    expect(told.map(({ decision, route }) => `${decision} ${route}`)).toEqual([
      'fresh POST /notes',
      'replayed POST /notes',
      'conflicted POST /notes',
    ]);
    expect(new Set(told.map(({ keyHash }) => keyHash)).size).toBe(1);
    expect(JSON.stringify(lines)).not.toContain(key);
    const after = await Promise.all(['fresh', 'replayed', 'conflicted'].map(decided));
    expect(after.map((count, index) => count - before[index]!)).toEqual([1, 1, 1]);
  });
});

describe('R18 leased work in this process', () => {
  const call = (text: string) => ({ url: '/errands', key: randomUUID(), body: textOf(text) });
  afterEach(() => {
    NotesController.errand = async () => 'done';
  });

  it('R18 answers a repeat that waits with the answer of the one that is under way', async () => {
    const slow = holdErrand();
    const errand = call('slow');
    const first = post(errand);
    await slow.begun;
    const impatient = await post({ ...errand, headers: { prefer: 'wait=0' } });
    expect([codeOf(impatient), impatient.headers['preference-applied']]).toEqual([
      '409 idempotency_key_in_use',
      'wait=0',
    ]);
    const patient = post({ ...errand, headers: { prefer: 'wait=20' } });
    await eventually(async () => expect(await statesOf(errand.key)).toMatchObject([{ state: 'processing' }]));
    slow.finish('late');
    const [answer, same] = await Promise.all([first, patient]);
    expect(JSON.parse(answer.body)).toMatchObject({ result: 'late' });
    expect([same.status, same.body, isReplay(same)]).toEqual([201, answer.body, true]);
    expect(await notes('slow')).toBe(1);
  });

  it('R45 holds back only so many repeats of a tenant, and answers further ones at once', async () => {
    const crowded = holdErrand();
    const errand = call('crowded');
    const first = post(errand);
    await crowded.begun;
    const hurried = (again: Call) => post({ ...again, headers: { prefer: 'wait=0' } });
    const waiting: Promise<Response>[] = [];
    for (let n = 1; n <= 500; n++) {
      waiting.push(post({ ...errand, headers: { prefer: 'wait=30' } }));
      // Only so many bodies are read at the same time.
      if (n % 100 === 0) await hurried(errand);
    }
    await eventually(async () => {
      const answer = await hurried(errand);
      expect([codeOf(answer), answer.headers['retry-after']]).toEqual(['409 idempotency_key_in_use', '1']);
      // Whoever gets no seat does not wait at all.
      expect(answer.headers['preference-applied']).toBeUndefined();
    });
    NotesController.errand = async () => 'done';
    expect((await post({ ...call('uncrowded'), as: 'elsewhere' })).status).toBe(201);
    crowded.finish('late');
    const [{ body }, ...same] = await Promise.all([first, ...waiting]);
    expect(new Set(same.map((answer) => answer.body))).toEqual(new Set([body]));
    const held = holdErrand();
    const next = call('next');
    const begun = post(next);
    await held.begun;
    await eventually(async () => expect((await hurried(next)).headers['preference-applied']).toBe('wait=0'));
    held.finish('done');
    await begun;
  });

  it('R19 answers 503 when the outcome is not known, and the same key goes on behind the last point', async () => {
    NotesController.errand = async () => Promise.reject(new Error('connection reset'));
    const errand = call('unlucky');
    const first = await post(errand);
    expect(codeOf(first)).toBe('503 outcome_unknown');
    expect(first.headers['retry-after']).toBe('1');
    NotesController.errand = async () => 'better';
    const resumed = await post(errand);
    expect(JSON.parse(resumed.body)).toMatchObject({ result: 'better' });
    expect(lines.at(-1)).toMatchObject({ decision: 'resumed' });
    expect(isReplay(await post(errand))).toBe(true);
    expect(await notes('unlucky')).toBe(1);
  });

  it('R18 is finished by the completer when nobody asks again, and its input is forgotten then', async () => {
    NotesController.errand = async () => Promise.reject(new Error('connection reset'));
    const errand = call('forgotten');
    await post(errand);
    NotesController.errand = async () => 'completed';
    const { works } = app.app.get(Idempotency);
    await database.query({
      name: 'test.age',
      text: `update ledger set leased_until = leased_until - interval '9 s' where lease_token is not null`,
    });
    expect(await works.resumeOverdue()).toBeGreaterThan(0);
    expect(JSON.parse((await post(errand)).body)).toMatchObject({ result: 'completed' });
    const traces = { name: 'test.traces', text: 'select input, recovery from ledger where key = $1' };
    expect(await database.query(traces, [errand.key])).toEqual([{ input: null, recovery: null }]);
  });
});

const times = { createdAt: expect.any(String), completedAt: expect.any(String), expiresAt: expect.any(String) };

interface KeyState {
  route: string;
  state: string;
  createdAt: string;
  expiresAt?: string;
}

async function statesOf(key: string): Promise<KeyState[]> {
  const { body } = await app.get(`/idempotency-keys/${encodeURIComponent(key)}`);
  return (JSON.parse(body) as { requests: KeyState[] }).requests;
}

/** From now on an errand ends when the test says so. A repeat may be told that it is in use before it has begun. */
function holdErrand(): { begun: Promise<void>; finish: (result: string) => void } {
  let finish: (result: string) => void = () => undefined;
  const begun = new Promise<void>((resolve) => {
    NotesController.errand = () => {
      resolve();
      return new Promise((result) => (finish = result));
    };
  });
  return { begun, finish: (result) => finish(result) };
}

function lease(claim: typeof NotesController.claim): Promise<void> {
  const leased = { ...claim, token: randomUUID(), work: 'write', input: null };
  const lease = { owner: 'somebody', durationMs: 60_000 };
  return database.transaction(async (tx) => app.app.get(Ledger).lease(tx, [leased], lease));
}
