import { randomUUID } from 'node:crypto';
import { Body, Controller, Delete, Module, Param, Post, type Type } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
// The two meet in every service; here they are tried together.
// eslint-disable-next-line @nx/enforce-module-boundaries
import { createHttpApp, parseApiKeys } from '@shop/http';
import { createLogger } from '@shop/observability';
import { createDatabase, Database, migrate, type Statement } from '@shop/postgres';
import { useStack } from '@shop/testing';
import {
  type Answer,
  type Claim,
  ClaimOf,
  Idempotent,
  IdempotencyModule,
  ledgerMigrations,
  newLeaseToken,
  type Outcome,
  PostgresLedger,
  runOnce,
} from './index';

const stack = useStack({
  templateKey: 'ledger',
  migrate: async (url) => {
    const database = createDatabase({ url, applicationName: 'test', migrations: ledgerMigrations });
    await migrate(database);
    await database.close();
  },
});

const logger = createLogger({ service: 'test', level: 'silent', format: 'json' });
const ledger = new PostgresLedger();
const insertNote: Statement = { name: 'test.insert-note', text: 'insert into note values ($1, $2)' };
const countNotes: Statement = { name: 'test.count-notes', text: 'select count(*) as n from note where text = $1' };

interface Note {
  text: string;
}

@Controller()
class NotesController {
  /** The newest claim, for a test that wants to lease a key like it. */
  static claim: Claim;

  constructor(private readonly database: Database) {}

  @Post('notes')
  @Idempotent({ strategy: 'atomic' })
  write(@ClaimOf() claim: Claim, @Body() note: Note): Promise<Outcome> {
    return this.keep(claim, note);
  }

  @Post('drafts')
  @Idempotent({ strategy: 'atomic' })
  draft(@ClaimOf() claim: Claim, @Body() note: Note): Promise<Outcome> {
    return this.keep(claim, note);
  }

  @Post('folders/:folder/notes')
  @Idempotent({ strategy: 'atomic' })
  file(@ClaimOf() claim: Claim, @Param('folder') _: string, @Body() note: Note): Promise<Outcome> {
    return this.keep(claim, note);
  }

  private async keep(claim: Claim, { text }: Note): Promise<Outcome> {
    NotesController.claim = claim;
    const id = randomUUID();
    const [outcome] = await runOnce<null>(this.database, ledger, [{ claim }], {
      load: async () => null,
      decide: () => answerOf(id, text),
      save: (tx) => tx.send(insertNote, [id, text]),
    });
    return outcome!;
  }
}

function answerOf(id: string, text: string): Answer {
  if (text === 'crash') throw new Error('out of luck');
  if (text === 'rude') return { status: 422, body: `{"status":422,"code":"rude","detail":"not a word of that"}` };
  // Odd white space, so that an answer that was parsed and written again would be noticed.
  return {
    status: 201,
    headers: { location: `/notes/${id}`, etag: '"1"' },
    body: `{ "id":"${id}",\n "text": "${text}"}`,
  };
}

const apiKeys = parseApiKeys('alice=t1/alice:customer,bob=t1/bob:customer,elsewhere=t2/alice:customer');
const build = async (controller: Type): Promise<NestFastifyApplication> => {
  @Module({
    imports: [IdempotencyModule.register({ database, logger })],
    controllers: [controller],
    providers: [{ provide: Database, useValue: database }],
  })
  class TestModule {}
  const app = await createHttpApp(TestModule, { title: 'test', description: 'test', logger, apiKeys });
  await app.init();
  return app;
};

let database: Database;
let app: NestFastifyApplication;

beforeAll(async () => {
  database = createDatabase({ url: stack.databaseUrl, applicationName: 'test' });
  await database.connect();
  await database.query({ name: 'test.note', text: 'create table note (id uuid, text text)' });
  app = await build(NotesController);
});
afterAll(async () => {
  await app.close();
  await database.close();
});

interface Call {
  key?: string;
  url?: string;
  as?: string;
  /** As text, so that its spelling can be chosen. */
  body?: string;
}

async function post({ key, url = '/notes', as = 'alice', body = '{"text":"hello"}' }: Call) {
  const headers = { authorization: `Bearer ${as}`, 'content-type': 'application/json' };
  const response = await app.inject({
    method: 'POST',
    url,
    headers: key === undefined ? headers : { ...headers, 'idempotency-key': key },
    payload: body,
  });
  return { status: response.statusCode, headers: response.headers, body: response.body };
}
const textOf = (text: string) => JSON.stringify({ text });
const notes = async (text: string) => (await database.query<{ n: number }>(countNotes, [text]))[0]!.n;
const codeOf = ({ status, body }: { status: number; body: string }) =>
  `${status} ${(JSON.parse(body) as { code?: string }).code}`;

describe('a keyed route', () => {
  it('R13 refuses a request without a key, and one with a malformed key, each with its own code', async () => {
    const body = textOf('keyless');
    const missing = await post({ body });
    expect(codeOf(missing)).toBe('400 idempotency_key_missing');
    expect(missing.headers['content-type']).toMatch('application/problem+json');
    expect(codeOf(await post({ key: 'a b', body }))).toBe('400 idempotency_key_invalid');
    expect(codeOf(await post({ key: 'k'.repeat(256), body }))).toBe('400 idempotency_key_invalid');
    expect(await notes('keyless')).toBe(0);
  });

  it('R12 answers a repeat with the same status, headers and bytes, and says that it is one', async () => {
    const call = { key: randomUUID(), body: textOf('once') };
    const first = await post(call);
    const second = await post(call);
    expect(first.status).toBe(201);
    expect(first.headers['idempotent-replayed']).toBeUndefined();
    expect(first.body).toContain(',\n "text": "once"}');
    expect(second.body).toBe(first.body);
    expect(second.status).toBe(first.status);
    expect(second.headers['idempotent-replayed']).toBe('true');
    for (const name of ['location', 'etag', 'content-type']) expect(second.headers[name]).toBe(first.headers[name]);
    expect(await notes('once')).toBe(1);
  });

  it('R13 takes a quoted key for the same key', async () => {
    const call = { key: randomUUID(), body: textOf('quoted') };
    const first = await post(call);
    expect(await post({ ...call, key: `"${call.key}"` })).toMatchObject({ status: 201, body: first.body });
    expect(await notes('quoted')).toBe(1);
  });

  it('R14 takes another spelling of the same body for the same request', async () => {
    const key = randomUUID();
    const first = await post({ key, body: '{"text":"spelled","more":1}' });
    const second = await post({ key, body: '{ "more": 1e0,\n"text": "sp\\u0065lled" }' });
    expect(second.body).toBe(first.body);
    expect(second.headers['idempotent-replayed']).toBe('true');
  });

  it('R14 refuses another body, or another path, under a used key', async () => {
    const key = randomUUID();
    const url = '/folders/red/notes';
    await post({ key, url, body: textOf('conflict') });
    const body = await post({ key, url, body: textOf('conflict 2') });
    expect(codeOf(body)).toBe('409 idempotency_key_reused');
    expect(body.headers['content-type']).toMatch('application/problem+json');
    const path = await post({ key, url: '/folders/blue/notes', body: textOf('conflict') });
    expect(codeOf(path)).toBe('409 idempotency_key_reused');
    // A text that spells the same document is another document.
    expect(codeOf(await post({ key, url, body: JSON.stringify(textOf('conflict')) }))).toBe(
      '409 idempotency_key_reused',
    );
    expect(await notes('conflict')).toBe(1);
  });

  it('R15 has the same key again for every tenant, principal and route', async () => {
    const key = randomUUID();
    const calls: Call[] = [{}, { as: 'bob' }, { as: 'elsewhere' }, { url: '/drafts' }];
    for (const call of calls) {
      const response = await post({ key, body: textOf('scoped'), ...call });
      expect(response.status).toBe(201);
      expect(response.headers['idempotent-replayed']).toBeUndefined();
    }
    expect(await notes('scoped')).toBe(calls.length);
  });

  it('R16 runs one of many requests that come at once with one key', async () => {
    const call = { key: randomUUID(), body: textOf('crowd') };
    const responses = await Promise.all(Array.from({ length: 20 }, () => post(call)));
    expect(new Set(responses.map(({ status, body }) => `${status} ${body}`)).size).toBe(1);
    expect(responses.filter(({ headers }) => headers['idempotent-replayed'] === undefined)).toHaveLength(1);
    expect(await notes('crowd')).toBe(1);
  });

  it('R16 answers 409 with Retry-After while the request with the key is being worked on', async () => {
    const body = textOf('busy');
    await post({ key: randomUUID(), body });
    const lease = { owner: 'somebody', token: newLeaseToken(), durationMs: 60_000 };
    const claim = { ...NotesController.claim, key: 'busy' };
    await database.transaction(async (tx) => ledger.lease(tx, [claim], lease));
    const busy = await post({ key: 'busy', body });
    expect(codeOf(busy)).toBe('409 idempotency_key_in_use');
    expect(busy.headers['retry-after']).toMatch(/^\d+$/);
  });

  it('R19 keeps a final refusal with its status, and replays it', async () => {
    const call = { key: randomUUID(), body: textOf('rude') };
    const first = await post(call);
    expect(codeOf(first)).toBe('422 rude');
    expect(first.headers['content-type']).toMatch('application/problem+json');
    const second = await post(call);
    expect(second).toMatchObject({ status: 422, body: first.body });
    expect(second.headers['idempotent-replayed']).toBe('true');
  });

  it('R19 keeps nothing of a failure, so the same key may be used again', async () => {
    const key = randomUUID();
    expect(codeOf(await post({ key, body: textOf('crash') }))).toBe('500 internal_error');
    const again = await post({ key, body: textOf('better') });
    expect(again.status).toBe(201);
    expect(again.headers['idempotent-replayed']).toBeUndefined();
  });

  it('R29 refuses a body that is nested without end, and stays well', async () => {
    const body = `{"text":${'['.repeat(20_000)}${']'.repeat(20_000)}}`;
    expect(codeOf(await post({ key: randomUUID(), body }))).toBe('400 body_too_deep');
  });

  it('R24 is described in the OpenAPI document', async () => {
    const { body } = await app.inject({ method: 'GET', url: '/openapi.json' });
    const route = (JSON.parse(body) as { paths: Record<string, { post: { parameters: object[]; responses: object } }> })
      .paths['/notes']!.post;
    expect(route.parameters).toContainEqual(
      expect.objectContaining({ name: 'Idempotency-Key', in: 'header', required: true }),
    );
    expect(Object.keys(route.responses)).toEqual(expect.arrayContaining(['400', '409']));
  });
});

describe('R21 a mutating route without a strategy', () => {
  it('R21 keeps the service from starting, and is named', async () => {
    @Controller()
    class CarelessController {
      @Post('careless')
      post(): void {}
      @Delete('careless')
      remove(): void {}
      @Post('harmless')
      @Idempotent({ strategy: 'none', reason: 'it only counts' })
      count(): void {}
    }
    await expect(build(CarelessController)).rejects.toThrow(/: CarelessController\.post, CarelessController\.remove$/);
  });

  it('R21 keeps it from starting also when a keyed route does not take its claim', async () => {
    @Controller()
    class ForgetfulController {
      @Post('forgetful')
      @Idempotent({ strategy: 'atomic' })
      post(): void {}
      @Post('mindful')
      @Idempotent({ strategy: 'atomic' })
      mind(@ClaimOf() claim: Claim): Claim {
        return claim;
      }
    }
    await expect(build(ForgetfulController)).rejects.toThrow(/do not take @ClaimOf\(\): ForgetfulController\.post$/);
  });
});
