import { Controller, Module } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { bulkMigrations } from '@shop/bulk';
import { createHttpApp, parseApiKeys, Readiness } from '@shop/http';
import { ledgerMigrations } from '@shop/idempotency';
import { ConsumerLag, Consumes, JetStreamServer, messagingMigrations, Replies } from '@shop/messaging';
import { createLogger } from '@shop/observability';
import { Database, Lane } from '@shop/postgres';
import { createTestDatabase, eventually, type TestDatabase, useStack } from '@shop/testing';
import { Client } from 'pg';
import { ServiceModule } from './index';

@Controller()
class CommandsController {
  @Consumes('cmd.crane')
  take(): Replies {
    return new Replies([]);
  }
}

const stack = useStack();
let target: TestDatabase;
let admin: Client;
let app: NestFastifyApplication;

beforeAll(async () => {
  target = await createTestDatabase();
  admin = new Client({ connectionString: target.url });
  await admin.connect();
  const logger = createLogger({ service: 'crane', level: 'silent', format: 'json' });
  const service = ServiceModule.register({
    service: 'crane',
    logger,
    database: { everyday: { url: target.url }, migrate: 'start' },
    natsUrl: stack.natsUrl,
    migrations: [...ledgerMigrations, ...messagingMigrations, ...bulkMigrations],
  });
  @Module({ imports: [service], controllers: [CommandsController] })
  class CraneApp {}
  const apiKeys = parseApiKeys('key=acme/olga:operator');
  app = await createHttpApp(CraneApp, { title: 'crane', description: 'crane', logger, apiKeys });
  app.connectMicroservice({ strategy: app.get(JetStreamServer) });
  await app.startAllMicroservices();
  await app.init();
});
afterAll(async () => {
  await app?.close();
  await admin?.end();
  await target?.drop();
});

const ready = async () => {
  const { statusCode } = await app.inject({ url: '/health/ready' });
  return { status: statusCode, ...(await app.get(Readiness, { strict: false }).now()).checks };
};
const well = { status: 200, database: 'ok', work: 'ok', broker: 'ok', consumers: 'ok', lag: 'ok' };
const becomes = (expected: object) =>
  eventually(async () => expect(await ready()).toMatchObject(expected), { timeoutMs: 20_000 });

describe('R50 a service is ready when its work can move', () => {
  beforeEach(() => becomes(well));
  afterEach(() => jest.restoreAllMocks());

  it('R50 not while the database only reads, and again as soon as it writes', async () => {
    const readOnly = (value: string) =>
      admin.query(`alter database "${target.name}" set default_transaction_read_only = ${value}`);
    const pause = jest.spyOn(app.get(JetStreamServer), 'pause');
    await readOnly('on');
    // What a failover does: the sessions end, and the new ones only read.
    app.get(Database).connections.retireAll();
    await becomes({ status: 503, database: 'only reads' });
    await eventually(() => expect(pause).toHaveBeenCalled());
    await readOnly('off');
    await becomes(well);
  });

  it('R50 not while migrations are pending', async () => {
    const { rows } = await admin.query<{ name: string }>(
      'delete from migration where id = (select max(id) from migration) returning *',
    );
    await becomes({ status: 503, database: 'has pending migrations' });
    await admin.query('insert into migration (timestamp, name) select $1, $2', [0, rows[0]!.name]);
    await becomes(well);
  });

  it('R50 not while the database has lost a table', async () => {
    await admin.query('alter table migration rename to hidden');
    await becomes({ status: 503, database: 'refuses to answer' });
    await admin.query('alter table hidden rename to migration');
    await becomes(well);
  });

  it('R50 not while a lane does not move', async () => {
    let end!: () => void;
    const lane = new Lane<number, number>({ run: () => new Promise((resolve) => (end = () => resolve([1]))) });
    const work = lane.submit(1);
    await new Promise((resolve) => setImmediate(resolve));
    const now = performance.now.bind(performance);
    jest.spyOn(performance, 'now').mockImplementation(() => now() + 11_000);
    await becomes({ status: 503, work: 'does not move' });
    end();
    await work;
    jest.restoreAllMocks();
    await becomes(well);
  });

  it('R50 although its messages are far behind, and tells so', async () => {
    const behind = 'cmd.crane: 9000 batches wait';
    jest.spyOn(app.get(ConsumerLag), 'trouble', 'get').mockReturnValue(behind);
    await becomes({ ...well, lag: behind });
    jest.restoreAllMocks();
    await becomes(well);
  });

  it('R53 not when it is about to end, whatever else is well', async () => {
    app.get(Readiness, { strict: false }).leave();
    const { statusCode, headers, body } = await app.inject({ url: '/health/ready' });
    expect([statusCode, headers.connection]).toEqual([503, 'close']);
    expect(JSON.parse(body)).toEqual({ status: 'unavailable' });
    expect(await ready()).toEqual({ status: 503, process: 'is stopping' });
    expect((await app.inject({ url: '/health/live' })).statusCode).toBe(200);
  });
});
