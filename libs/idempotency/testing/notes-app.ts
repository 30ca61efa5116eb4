/** A small service with keyed routes of every kind, in this process, for tests of their answers. */
import { randomUUID } from 'node:crypto';
import { Body, Controller, type DynamicModule, Module, Param, Post, type Type } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
// Every service uses both libraries; here they are tested together.
// eslint-disable-next-line @nx/enforce-module-boundaries
import { createHttpApp, parseApiKeys, Roles } from '@shop/http';
import { createLogger, type Logger } from '@shop/observability';
import { createDatabase, Database, type Statement } from '@shop/postgres';
import { applyMigrations } from '@shop/postgres/testing';
import { Problem } from '@shop/problem';
import {
  type Answer,
  answerWith,
  type Claim,
  ClaimOf,
  Idempotency,
  IdempotencyKeysController,
  IdempotencyModule,
  type IdempotencyOptions,
  Idempotent,
  Ledger,
  ledgerMigrations,
  type Outcome,
  runOnce,
} from '../src';

export const insertNote: Statement = { name: 'test.insert-note', text: 'insert into note values ($1, $2)' };
const countNotes: Statement = { name: 'test.count-notes', text: 'select count(*) as n from note where text = $1' };
const createNotes: Statement = { name: 'test.note', text: 'create table if not exists note (id uuid, text text)' };

/** Every route says who may call it. */
export const ForCustomers = Roles('customer');

interface Note {
  text: string;
}

/** For `useStack`: the ledger's tables. */
export const migrateLedger = (url: string) => applyMigrations(url, ledgerMigrations);

export async function openNotes(url: string): Promise<Database> {
  const database = createDatabase({ url, applicationName: 'test' });
  await database.connect();
  await database.query(createNotes);
  return database;
}

export async function notesOf(database: Database, text: string): Promise<number> {
  return (await database.query<{ n: number }>(countNotes, [text]))[0]!.n;
}

@ForCustomers
@Controller()
export class NotesController {
  /** The newest claim, for a test that leases a similar key. */
  static claim: Claim;
  /** What the errand's outside call does. */
  static errand: () => Promise<unknown> = async () => 'done';

  private readonly run: (claim: Claim, note: Note) => Promise<Outcome>;

  constructor(
    private readonly database: Database,
    private readonly ledger: Ledger,
    private readonly idempotency: Idempotency,
  ) {
    this.run = idempotency.leased<Note>('errand', async (work, { text }) => {
      const { id } = await work.reach('noted', async (tx) => {
        const note = { id: randomUUID() };
        tx.send(insertNote, [note.id, text]);
        return note;
      });
      const result = await NotesController.errand();
      return work.finish(() => answerWith(201, { id, result }));
    });
  }

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

  @Post('memos')
  @Idempotent({ strategy: 'atomic' })
  memo(@ClaimOf() claim: Claim, @Body() { text }: Note): Promise<Outcome> {
    return this.idempotency.once(claim, async (tx) => {
      const id = randomUUID();
      await tx.query(insertNote, [id, text]);
      if (text === 'forbidden') throw new Problem(403, 'forbidden', 'not you');
      if (text === 'impossible') throw new Problem(422, 'impossible', 'it cannot be');
      if (text === 'later') return answerWith(503, { code: 'later' });
      return answerWith(201, { id, text });
    });
  }

  @Post('tickets')
  @Idempotent({
    strategy: 'atomic',
    retentionHours: 24,
    replayStatus: 200,
    inUseStatus: 429,
    mismatchStatus: 422,
    redact: ['secret'],
  })
  ticket(@ClaimOf() claim: Claim, @Body() { text }: Note): Promise<Outcome> {
    NotesController.claim = claim;
    return this.idempotency.once(claim, async (tx) => {
      await tx.query(insertNote, [randomUUID(), text]);
      return answerWith(201, { text, secret: 'hush' });
    });
  }

  @Post('errands')
  @Idempotent({ strategy: 'leased' })
  errand(@ClaimOf() claim: Claim, @Body() note: Note): Promise<Outcome> {
    return this.run(claim, note);
  }

  private async keep(claim: Claim, { text }: Note): Promise<Outcome> {
    NotesController.claim = claim;
    const id = randomUUID();
    const [outcome] = await runOnce<null>(this.database, this.ledger, [{ claim }], {
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
  // The white space is unusual, so that a test would notice an answer that was parsed and written again.
  return {
    status: 201,
    headers: { location: `/notes/${id}`, etag: '"1"' },
    body: `{ "id":"${id}",\n "text": "${text}"}`,
  };
}

// As a service does with it.
ForCustomers(IdempotencyKeysController);

const apiKeys = parseApiKeys('alice=t1/alice:customer,bob=t1/bob:customer,elsewhere=t2/alice:customer');
export const silent = createLogger({ service: 'test', level: 'silent', format: 'json' });

export interface AppOptions extends Partial<IdempotencyOptions> {
  database: Database;
  controller?: Type;
}

/** @throws when the routes of the controller are not safe to repeat */
export async function startApp({ controller = NotesController, ...options }: AppOptions): Promise<NotesApp> {
  const idempotency: DynamicModule = IdempotencyModule.register({ logger: silent, ...options });
  @Module({
    imports: [idempotency],
    controllers: [controller],
    providers: [{ provide: Database, useValue: options.database }],
  })
  class TestModule {}
  const logger: Logger = options.logger ?? silent;
  const app = await createHttpApp(TestModule, { title: 'test', description: 'test', logger, apiKeys });
  await app.init();
  return new NotesApp(app);
}

export interface Call {
  key?: string;
  url?: string;
  as?: string;
  /** A text, so that a test can choose its spelling. */
  body?: string | Buffer;
  headers?: Record<string, string>;
}

export interface Response {
  status: number;
  headers: Record<string, unknown>;
  body: string;
}

export class NotesApp {
  constructor(readonly app: NestFastifyApplication) {}

  close(): Promise<void> {
    return this.app.close();
  }

  async post({ key, url = '/notes', as = 'alice', body = '{"text":"hello"}', headers }: Call): Promise<Response> {
    const response = await this.app.inject({
      method: 'POST',
      url,
      headers: {
        authorization: `Bearer ${as}`,
        'content-type': 'application/json',
        ...(key !== undefined && { 'idempotency-key': key }),
        ...headers,
      },
      payload: body,
    });
    return { status: response.statusCode, headers: response.headers, body: response.body };
  }

  async get(url: string, as = 'alice'): Promise<Response> {
    const response = await this.app.inject({ method: 'GET', url, headers: { authorization: `Bearer ${as}` } });
    return { status: response.statusCode, headers: response.headers, body: response.body };
  }
}

export const textOf = (text: string): string => JSON.stringify({ text });
export const codeOf = ({ status, body }: Response): string =>
  `${status} ${(JSON.parse(body) as { code?: string }).code}`;
