import { randomUUID } from 'node:crypto';
import { Controller, Module } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { bulkMigrations } from '@shop/bulk';
import { metricsNow } from '@shop/http/testing';
import { createHttpApp, parseApiKeys } from '@shop/http';
import { type Claim, fingerprintOf, Ledger, ledgerMigrations, runOnce } from '@shop/idempotency';
import {
  Replies,
  Consumes,
  type DeadLetter,
  type Delivery,
  JetStreamServer,
  type Message,
  messagingMigrations,
  newMessage,
} from '@shop/messaging';
import { createLogger } from '@shop/observability';
import { Database } from '@shop/postgres';
import { eventually, useStack } from '@shop/testing';
import { ServiceModule } from './index';

const stack = useStack();
const mailbox = `cmd.dl${randomUUID().slice(0, 8)}`;
const apiKeys = parseApiKeys(
  'olga=acme/olga:operator+platform,owen=acme/owen:operator,carl=acme/carl:customer,rita=rival/rita:operator',
);

/** The error of each message, while the test sets one. */
const faults = new Map<string, Error>();
/** How often each message had its effect. */
const effects = new Map<string, number>();

@Controller()
class TestController {
  constructor(
    private readonly database: Database,
    private readonly ledger: Ledger,
  ) {}

  @Consumes(mailbox)
  take(deliveries: Delivery[]): Replies {
    return new Replies(deliveries.map(({ message }) => this.carryOut(message)));
  }

  /** Has one effect for each message, as in a real service. */
  private async carryOut({ id, data }: Message): Promise<undefined> {
    const claim: Claim = { scope: 'test', key: id, fingerprint: fingerprintOf(data) };
    await runOnce(this.database, this.ledger, [{ claim }], {
      load: async () => undefined,
      decide: () => {
        if (faults.has(id)) throw faults.get(id)!;
        effects.set(id, (effects.get(id) ?? 0) + 1);
        return { status: 200, body: '{}' };
      },
      save: () => undefined,
    });
    return undefined;
  }
}

let app: NestFastifyApplication;
let nats: NatsConnection;
const publish = (text: string) => nats.publish(`${mailbox}.batch`, text);

beforeAll(async () => {
  const logger = createLogger({ service: 'test', level: 'silent', format: 'json' });
  const service = ServiceModule.register({
    service: 'test',
    logger,
    database: { everyday: { url: stack.databaseUrl }, migrate: 'start' },
    natsUrl: stack.natsUrl,
    migrations: [...ledgerMigrations, ...messagingMigrations, ...bulkMigrations],
  });
  @Module({ imports: [service], controllers: [TestController] })
  class TestApp {}
  app = await createHttpApp(TestApp, { title: 'test', description: 'test', logger, apiKeys });
  app.connectMicroservice({ strategy: app.get(JetStreamServer) });
  await app.startAllMicroservices();
  await app.init();
  await app.getHttpAdapter().getInstance().ready();
  nats = await connect({ servers: stack.natsUrl });
  // Before its mailbox can be pulled from, there may be no stream, and the broker would drop what is published.
  await eventually(async () => expect((await app.inject({ url: '/health/ready' })).statusCode).toBe(200));
});
afterAll(async () => {
  await app.close();
  await nats.close();
});
beforeEach(() => faults.clear());

interface Ask {
  as?: string;
  key?: string;
  body?: object;
}

async function call<Body = DeadLetter>(method: 'GET' | 'POST', url: string, { as = 'olga', key, body }: Ask = {}) {
  const headers: Record<string, string> = { authorization: `Bearer ${as}` };
  if (method === 'POST') headers['idempotency-key'] = key ?? randomUUID();
  const response = await app.inject({ method, url, headers, payload: body });
  return { status: response.statusCode, headers: response.headers, body: response.json<Body>() };
}

interface Page {
  items: DeadLetter[];
  next: string | null;
}
const list = async (query = 'limit=200', as?: string) =>
  (await call<Page>('GET', `/dead-letters?${query}`, { as })).body;
const get = (id: string, as?: string) =>
  call<DeadLetter & { content: string; code?: string }>('GET', `/dead-letters/${id}`, { as });
const act = (id: string, what: 'replay' | 'discard', ask: Ask = {}) =>
  call<DeadLetter & { code?: string }>('POST', `/dead-letters/${id}/${what}`, { body: { reason: 'mended' }, ...ask });

const newCommand = (tenant = 'acme'): Message =>
  newMessage({ id: randomUUID(), type: 'test.do.v1', source: 'test', subject: 'saga', data: { tenant } });

/** Sends the message with its error, and waits until it is a dead letter. */
async function putAway(message: Message, error = new Error('out of luck')): Promise<DeadLetter> {
  faults.set(message.id, error);
  publish(JSON.stringify([message]));
  return awaitLetter(({ messageId, state }) => messageId === message.id && state === 'open');
}

function awaitLetter(fits: (letter: DeadLetter) => boolean, as?: string): Promise<DeadLetter> {
  return eventually(
    async () => {
      const letter = (await list('limit=200', as)).items.find(fits);
      expect(letter).toBeDefined();
      return letter!;
    },
    { timeoutMs: 30_000 },
  );
}

describe('R46 an operator', () => {
  it('R46 sees the messages that were given up on, and each one with what it said', async () => {
    const message = newCommand();
    const letter = await putAway(message);
    expect(letter).toMatchObject({ mailbox, type: 'test.do.v1', saga: 'saga', lastError: 'Error: out of luck' });
    expect(letter).not.toHaveProperty('content');
    const { status, body } = await get(letter.id);
    expect(status).toBe(200);
    expect(JSON.parse(body.content)).toEqual(message);
  });

  it('R46 reads them page by page, by state, newest first', async () => {
    for (const text of ['first', 'second', 'third']) publish(text);
    await eventually(async () => {
      const { items } = await list('state=open&limit=200');
      expect(items.filter(({ readable }) => !readable)).toHaveLength(3);
    });
    const all = (await list()).items.map(({ id }) => id);
    const pages: string[] = [];
    for (let next: string | null = ''; next !== null;) {
      const page: Page = await list(`limit=2${next && `&cursor=${next}`}`);
      expect(page.items.length).toBeLessThanOrEqual(2);
      pages.push(...page.items.map(({ id }) => id));
      next = page.next;
    }
    expect(pages).toEqual(all);
    expect(all).toEqual([...all].sort().reverse());
    expect((await list('state=discarded')).items.filter(({ state }) => state !== 'discarded')).toEqual([]);
    for (const query of ['state=lost', 'cursor=x', 'limit=0']) {
      expect((await call('GET', `/dead-letters?${query}`)).status).toBe(400);
    }
  });

  it('R46 R49 sees them in groups: of one kind, and failed in the same way whatever the numbers in it', async () => {
    interface Groups {
      groups: { error: string; type: string | null; count: number; state: string; firstAt: string; lastAt: string }[];
    }
    const groups = async (query = '', as?: string) =>
      (await call<Groups>('GET', `/dead-letters/groups${query}`, { as })).body.groups;
    for (const n of [1, 22]) await putAway(newCommand(), new Error(`no room ${n} in ${randomUUID()}`));
    const [found, ...more] = (await groups()).filter(({ error }) => error.includes('no room'));
    expect(more).toEqual([]);
    expect(found).toMatchObject({ type: 'test.do.v1', error: 'Error: no room # in #', count: 2, state: 'open' });
    expect(Date.parse(found!.firstAt)).toBeLessThanOrEqual(Date.parse(found!.lastAt));
    expect(await groups('?state=replayed')).toEqual([]);
    expect((await groups('', 'rita')).filter(({ error }) => error.includes('no room'))).toEqual([]);
    expect((await call('GET', '/dead-letters/groups?state=lost')).status).toBe(400);
  });

  it('R46 replays one when its fault is mended: it has its effect once, however often that is asked', async () => {
    const message = newCommand();
    const { id } = await putAway(message);
    faults.clear();
    const first = await act(id, 'replay', { key: 'once' });
    expect(first).toMatchObject({ status: 200, body: { state: 'replayed' } });
    expect(first.body.acts).toEqual([
      { act: 'replayed', by: 'acme/olga', reason: 'mended', at: expect.stringMatching(/^\d{4}-/) },
    ]);
    await eventually(() => expect(effects.get(message.id)).toBe(1));
    const again = await act(id, 'replay', { key: 'once' });
    expect(again).toMatchObject({ status: 200, headers: { 'idempotent-replayed': 'true' }, body: first.body });
    await act(id, 'replay');
    // This message comes after both of them.
    const last = newCommand();
    publish(JSON.stringify([last]));
    await eventually(() => expect(effects.get(last.id)).toBe(1));
    expect(effects.get(message.id)).toBe(1);
    expect((await get(id)).body).toMatchObject({ state: 'replayed', acts: [{}, {}] });
  });

  it('R46 sees one again that fails again, at its first trial', async () => {
    const message = newCommand();
    const { id, deliveries } = await putAway(message);
    faults.set(message.id, new Error('still out of luck'));
    await act(id, 'replay', { body: { reason: 'perhaps' } });
    const letter = await awaitLetter((one) => one.id === id && one.state === 'open');
    expect(letter).toMatchObject({
      lastError: 'Error: still out of luck',
      deliveries: deliveries + 1,
      acts: [{ act: 'replayed', reason: 'perhaps' }],
    });
  });

  it('R46 replays bytes that nobody could read as they came', async () => {
    publish('not [JSON');
    const { id } = await awaitLetter(({ readable, deliveries }) => !readable && deliveries === 1);
    const before = (await get(id)).body;
    await act(id, 'replay');
    const letter = await awaitLetter((one) => one.id === id && one.state === 'open');
    expect(letter).toMatchObject({ deliveries: before.deliveries + 1, messageId: before.messageId });
    expect((await get(id)).body.content).toBe(before.content);
  });

  it('R46 discards one: nothing more happens, and the row tells who, when and why', async () => {
    const message = newCommand();
    const { id } = await putAway(message);
    faults.clear();
    const { status, body } = await act(id, 'discard', { body: { reason: 'sold by telephone' } });
    expect(status).toBe(200);
    expect(body).toMatchObject({
      state: 'discarded',
      acts: [{ act: 'discarded', by: 'acme/olga', reason: 'sold by telephone' }],
    });
    expect((await list('state=discarded')).items).toContainEqual(expect.objectContaining({ id }));
    expect(effects.has(message.id)).toBe(false);
  });

  it('R46 needs a key, a reason, and one that is there', async () => {
    const { id } = await awaitLetter(() => true);
    expect((await act(id, 'discard', { body: {} })).body.code).toBe('validation_failed');
    expect((await act(id, 'replay', { key: '' })).status).toBe(400);
    for (const unknown of [randomUUID(), 'x']) {
      expect(await act(unknown, 'replay')).toMatchObject({ status: 404, body: { code: 'dead_letter_not_found' } });
      expect(await get(unknown)).toMatchObject({ status: 404, body: { code: 'dead_letter_not_found' } });
    }
  });

  it('R46 does not replay what was too large to be kept whole', async () => {
    const id = randomUUID();
    await app.get(Database).query(
      {
        name: 'test.cut',
        text: `insert into dead_letter (id, mailbox, message_id, readable, content, size, deliveries, killed, last_error, state,
                 first_seen_at) values ($1::uuid, $2, $1::uuid::text, false, 'cut', 9000000, 1, false, 'Error: too large', 'open', now())`,
      },
      [id, mailbox],
    );
    expect((await get(id)).body).toMatchObject({ cut: true, size: 9_000_000 });
    expect(await act(id, 'replay')).toMatchObject({ status: 409, body: { code: 'dead_letter_cut' } });
  });

  it('R54 sees and handles what belongs to nobody only with the role platform', async () => {
    publish('these bytes are no batch');
    const unowned = await awaitLetter(({ tenant, state }) => tenant === null && state === 'open');
    for (const as of ['owen', 'rita']) {
      expect((await list('limit=200', as)).items.filter(({ tenant }) => tenant === null)).toEqual([]);
      expect((await get(unowned.id, as)).status).toBe(404);
      for (const what of ['replay', 'discard'] as const) expect((await act(unowned.id, what, { as })).status).toBe(404);
    }
    expect((await get(unowned.id, 'olga')).status).toBe(200);
    expect((await act(unowned.id, 'discard', { as: 'olga' })).status).toBe(200);
  });

  it('R46 of another tenant sees nothing, and neither does a customer', async () => {
    const { id } = await putAway(newCommand());
    expect((await list('limit=200', 'rita')).items).toEqual([]);
    expect((await get(id, 'rita')).status).toBe(404);
    for (const what of ['replay', 'discard'] as const) expect((await act(id, what, { as: 'rita' })).status).toBe(404);
    expect((await get(id, 'carl')).status).toBe(403);
    expect((await call('GET', '/dead-letters', { as: 'carl' })).status).toBe(403);
    expect((await act(id, 'discard', { as: 'carl' })).status).toBe(403);
  });

  it('R46 finds them in the metrics', async () => {
    const text = await metricsNow();
    expect(text).toMatch(new RegExp(`^dead_letters_total\\{mailbox="${mailbox}"\\} [1-9]`, 'm'));
    await eventually(async () => {
      const open = (await list('state=open')).items.length;
      const now = await metricsNow();
      expect(now).toContain(`dead_letters_open{mailbox="${mailbox}"} ${open}`);
    });
  });
});
