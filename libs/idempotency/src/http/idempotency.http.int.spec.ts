import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { Controller, Delete, Post } from '@nestjs/common';
import type { Logger } from '@shop/observability';
import type { Database } from '@shop/postgres';
import { useStack } from '@shop/testing';
import {
  type Call,
  codeOf,
  ForCustomers,
  migrateLedger,
  type NotesApp,
  NotesController,
  notesOf,
  openNotes,
  silent,
  startApp,
  textOf,
} from '../../testing/notes-app';
import { type Claim, ClaimOf, Idempotent, Ledger } from '../index';

const stack = useStack({ templateKey: 'ledger', migrate: migrateLedger });

let database: Database;
let app: NotesApp;

beforeAll(async () => {
  database = await openNotes(stack.databaseUrl);
  app = await startApp({ database });
});
afterAll(async () => {
  await app.close();
  await database.close();
});

const post = (call: Call) => app.post(call);
const notes = (text: string) => notesOf(database, text);

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
    // A JSON text that contains the same document as a string is another document.
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
    const lease = { owner: 'somebody', durationMs: 60_000 };
    const claim = { ...NotesController.claim, key: 'busy', token: randomUUID(), work: 'write', input: null };
    await database.transaction(async (tx) => app.app.get(Ledger).lease(tx, [claim], lease));
    const busy = await post({ key: 'busy', body, headers: { prefer: 'wait=0' } });
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
    const { body } = await app.get('/openapi.json');
    const route = (JSON.parse(body) as { paths: Record<string, { post: { parameters: object[]; responses: object } }> })
      .paths['/notes']!.post;
    expect(route.parameters).toContainEqual(
      expect.objectContaining({ name: 'Idempotency-Key', in: 'header', required: true }),
    );
    expect(Object.keys(route.responses)).toEqual(expect.arrayContaining(['400', '409']));
  });
});

describe('R21 a mutating route', () => {
  it('R21 keeps the service from starting, and is named', async () => {
    @ForCustomers
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
    await expect(startApp({ database, controller: CarelessController })).rejects.toThrow(
      /: CarelessController\.post, CarelessController\.remove$/,
    );
  });

  it('R21 keeps it from starting also when a keyed route does not take its claim', async () => {
    @ForCustomers
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
    await expect(startApp({ database, controller: ForgetfulController })).rejects.toThrow(
      /do not take @ClaimOf\(\): ForgetfulController\.post$/,
    );
  });

  it('R21 fails on its first request, and says why, when it is keyed and answers no Outcome', async () => {
    @ForCustomers
    @Controller()
    class MistakenController {
      @Post('silent')
      @Idempotent({ strategy: 'atomic' })
      post(@ClaimOf() claim: Claim): void {
        assert(claim.key);
      }
      @Post('mistaken')
      @Idempotent({ strategy: 'leased' })
      mistake(@ClaimOf() claim: Claim): Claim {
        return claim;
      }
      @Post('keyless')
      @Idempotent({ strategy: 'none', reason: 'it only counts' })
      count(@ClaimOf() claim: Claim): Claim {
        return claim;
      }
    }
    const errors: string[] = [];
    const logger = Object.assign(Object.create(silent) as Logger, {
      error: ({ err }: { err: Error }) => void errors.push(err.message),
    });
    const mistaken = await startApp({ database, controller: MistakenController, logger });
    for (const url of ['/silent', '/mistaken', '/keyless']) {
      expect(codeOf(await mistaken.post({ key: randomUUID(), url }))).toBe('500 internal_error');
    }
    await mistaken.close();
    expect(errors).toEqual([
      'POST /silent has to answer the Outcome of its claim',
      'POST /mistaken has to answer the Outcome of its claim',
      expect.stringMatching(/^@ClaimOf\(\) is for routes/),
    ]);
  });

  it('R20 keeps it from starting also when an answer is forgotten sooner than clients may repeat', async () => {
    @ForCustomers
    @Controller()
    class HastyController {
      @Post('hasty')
      @Idempotent({ strategy: 'atomic', retentionHours: 24 })
      post(@ClaimOf() claim: Claim): Claim {
        return claim;
      }
    }
    const patient = startApp({ database, controller: HastyController, retryWindowHours: 48 });
    await expect(patient).rejects.toThrow(/less than the 48 hours .*: HastyController\.post$/);
    await (await startApp({ database, controller: HastyController, retryWindowHours: 24 })).close();
  });
});
