import { Injectable, Module } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { InjectRepository, TypeOrmModule } from '@nestjs/typeorm';
import { bulkMigrations } from '@shop/bulk';
import { createHttpApp, parseApiKeys } from '@shop/http';
import { ledgerMigrations } from '@shop/idempotency';
import { Broker, messagingMigrations, outboxMigrations, OutboxRelay } from '@shop/messaging';
import { createLogger } from '@shop/observability';
import { Database } from '@shop/postgres';
import { startPooler } from '@shop/postgres/testing';
import { useStack } from '@shop/testing';
import { Column, Entity, type MigrationInterface, PrimaryColumn, type QueryRunner, type Repository } from 'typeorm';
import { ServiceModule } from './index';

@Entity('crane')
class Crane {
  @PrimaryColumn('text') name: string;
  @Column('bigint', { name: 'lifts_kg' }) liftsKg: number;
}

class CreateCrane1760000090000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('create table crane (name text primary key, lifts_kg bigint not null)');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table crane');
  }
}

@Injectable()
class CranesService {
  constructor(@InjectRepository(Crane) readonly cranes: Repository<Crane>) {}
}

@Module({ imports: [TypeOrmModule.forFeature([Crane])], providers: [CranesService] })
class CranesModule {}

const stack = useStack();

const apps: NestFastifyApplication[] = [];
afterEach(() => Promise.all(apps.splice(0).map((app) => app.close())));

async function open({ databaseUrl = stack.databaseUrl, tells = false } = {}): Promise<NestFastifyApplication> {
  const logger = createLogger({ service: 'crane', level: 'silent', format: 'json' });
  const service = ServiceModule.register({
    service: 'crane',
    logger,
    database: { everyday: { url: databaseUrl }, migrate: 'start' },
    natsUrl: stack.natsUrl,
    migrations: [
      ...ledgerMigrations,
      ...messagingMigrations,
      ...bulkMigrations,
      ...outboxMigrations,
      CreateCrane1760000090000,
    ],
    entities: [Crane],
    tells,
  });
  @Module({ imports: [service, CranesModule] })
  class CraneApp {}
  const apiKeys = parseApiKeys('key=acme/olga:operator');
  const app = await createHttpApp(CraneApp, { title: 'crane', description: 'crane', logger, apiKeys });
  apps.push(app);
  return app.init();
}

describe('a service', () => {
  it('gives its modules the repositories of its entities, on the data source of its database', async () => {
    const app = await open();
    const { cranes } = app.get(CranesService, { strict: false });
    await cranes.insert({ name: 'tall', liftsKg: 12_000 });
    expect(await cranes.find()).toEqual([{ name: 'tall', liftsKg: 12_000 }]);
    expect(cranes.manager.dataSource).toBe(app.get(Database).dataSource);
  });

  it('closes the data source once, behind the broker', async () => {
    const app = await open();
    const closed: string[] = [];
    const [broker, { dataSource }] = [app.get(Broker), app.get(Database)];
    const [closeBroker, destroy] = [broker.close.bind(broker), dataSource.destroy.bind(dataSource)];
    jest.spyOn(broker, 'close').mockImplementation(async () => {
      await closeBroker();
      closed.push('broker');
    });
    jest.spyOn(dataSource, 'destroy').mockImplementation(async () => {
      closed.push('data source');
      await destroy();
    });
    await apps.pop()!.close();
    expect(closed).toEqual(['broker', 'data source']);
  });

  it('R41 runs a relay for its events from its start to its end, if it tells any', async () => {
    const [start, stop] = [jest.spyOn(OutboxRelay.prototype, 'start'), jest.spyOn(OutboxRelay.prototype, 'stop')];
    const quiet = await open();
    expect(() => quiet.get(OutboxRelay, { strict: false })).toThrow();
    const app = await open({ tells: true });
    expect([start.mock.contexts, stop.mock.contexts]).toEqual([[app.get(OutboxRelay)], []]);
    const relay = app.get(OutboxRelay);
    await apps.pop()!.close();
    expect(stop.mock.contexts).toEqual([relay]);
  });

  it('does not start behind a pooler that shares the sessions of the database, and says what to change', async () => {
    const pooler = await startPooler(stack.databaseUrl, { mode: 'transaction' });
    await expect(open({ databaseUrl: pooler.url })).rejects.toThrow('set pool_mode = session in PgBouncer');
    await pooler.close();
  });
});
