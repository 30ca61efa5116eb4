/** A service that writes events, and its relays: over a database and a broker that a test may hurt. */
import { createLogger, type Logger } from '@shop/observability';
import { createDatabase, type Database, migrate } from '@shop/postgres';
import { createTestDatabase, type TestDatabase } from '@shop/testing';
import pino from 'pino';
import { Broker } from '../src/broker';
import { type Message, newMessage } from '../src/message';
import { messagingMigrations, outboxMigrations } from '../src/migrations';
import { appendEvents } from '../src/outbox';
import { OutboxRelay } from '../src/outbox-relay';

export interface Relay {
  relay: OutboxRelay;
  database: Database;
  log: ({ event: string } & Record<string, unknown>)[];
}

const silent: Logger = createLogger({ service: 'test', level: 'silent', format: 'json' });

export class OutboxWorld {
  private readonly closing: (() => Promise<unknown>)[] = [];

  private constructor(
    private readonly home: TestDatabase,
    readonly database: Database,
  ) {}

  static async open(): Promise<OutboxWorld> {
    const home = await createTestDatabase();
    const database = open(home.url);
    await migrate(database);
    return new OutboxWorld(home, database);
  }

  async close(): Promise<void> {
    for (const close of this.closing.reverse()) await close();
    await this.database.close();
    await this.home.drop();
  }

  /** Of its database. */
  get url(): string {
    return this.home.url;
  }

  /** Closes this before everything that was opened earlier. */
  onClose(close: () => Promise<unknown>): void {
    this.closing.push(close);
  }

  /** `prepare` may put something between the relay and its database. */
  async startRelay(natsUrl: string, prepare: (database: Database) => void = () => undefined): Promise<Relay> {
    const log: Relay['log'] = [];
    const logger = pino(
      { level: 'debug', messageKey: 'event' },
      { write: (line: string) => void log.push(JSON.parse(line) as Relay['log'][number]) },
    );
    const broker = new Broker({ url: natsUrl, service: 'relay', logger: silent });
    await broker.connect();
    const database = open(this.home.url);
    await database.connect();
    prepare(database);
    const relay = new OutboxRelay({ service: 'test', database, broker, logger });
    this.onClose(() => database.close());
    this.onClose(() => broker.close());
    this.onClose(() => relay.stop());
    relay.start();
    return { relay, database, log };
  }

  /** Commits these events in one transaction. */
  async commit(...ids: string[]): Promise<void> {
    await this.database.transaction(async (tx) => appendEvents(tx, ids.map(eventOf)));
  }

  async query<Row>(text: string): Promise<Row[]> {
    return this.database.dataSource.query<Row[]>(text);
  }
}

/** `<order>/<what happened>`, the order being its subject. */
export const eventOf = (id: string): Message =>
  newMessage({ id, type: 'test.happened.v1', source: 'test', subject: id.split('/')[0]!, data: { id } });

const open = (url: string): Database =>
  createDatabase({
    url,
    applicationName: 'test',
    poolSize: 4,
    migrations: [...messagingMigrations, ...outboxMigrations],
  });
