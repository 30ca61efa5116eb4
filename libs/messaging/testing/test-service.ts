/** A service with one mailbox, as small as can be, in the process of a test. */
import { randomBytes } from 'node:crypto';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { Controller, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { createLogger, type Logger } from '@shop/observability';
import { createDatabase, type Database } from '@shop/postgres';
import { applyMigrations } from '@shop/postgres/testing';
import pino from 'pino';
import { Broker } from '../src/broker';
import { replyTo } from '../src/reply';
import { DeadLetterEntity } from '../src/dead-letter.entity';
import { DeadLetters } from '../src/dead-letters';
import { JetStreamServer } from '../src/jetstream.server';
import { Replies, Consumes, type Delivery } from '../src/mailbox';
import { type Message, newMessage } from '../src/message';
import { messagingMigrations } from '../src/migrations';
import { Publisher } from '../src/publisher';
import { consumerOf, ensureStream } from '../src/topology';

export const silent = createLogger({ service: 'test', level: 'silent', format: 'json' });

export type Handler = (deliveries: Delivery[]) => unknown;

export const answerEach = (
  answer: (delivery: Delivery) => Promise<Message | undefined> | Message | undefined,
): Handler => {
  return (deliveries) => new Replies(deliveries.map(async (delivery) => answer(delivery)));
};
export const succeed = answerEach(({ message }) => replyTo(message, 'test', { outcome: 'succeeded' }));

export interface TestService {
  publisher: Publisher;
  server: JetStreamServer;
  /** What the handler was given, call by call. */
  calls: Delivery[][];
  log: ({ event: string } & Record<string, unknown>)[];
  close: () => Promise<void>;
}

let closing: (() => Promise<unknown>)[] = [];

/** Has it closed behind the test, the newest first. */
export function closeLater(close: () => Promise<unknown>): void {
  closing.push(close);
}

/** For `afterEach`. */
export async function closeAll(): Promise<void> {
  for (const close of closing.reverse()) await close();
  closing = [];
}

/** For `useStack`: the tables of dead letters. */
export const migrateMessaging = (url: string) => applyMigrations(url, messagingMigrations);

export async function openDatabase(url: string): Promise<Database> {
  const database = createDatabase({ url, applicationName: 'test', poolSize: 4, entities: [DeadLetterEntity] });
  await database.connect();
  closeLater(() => database.close());
  return database;
}

export const deadLettersIn = ({ dataSource }: Database) => dataSource.getRepository(DeadLetterEntity);

export async function openBroker(url: string, logger: Logger = silent): Promise<Broker> {
  const broker = new Broker({ url, service: 'test', logger });
  await broker.connect();
  closeLater(() => broker.close());
  return broker;
}

export async function openNats(url: string): Promise<NatsConnection> {
  const connection = await connect({ servers: url });
  closeLater(() => connection.close());
  return connection;
}

export async function startService(
  mailbox: string,
  handler: Handler,
  urls: { natsUrl: string; databaseUrl: string },
): Promise<TestService> {
  const log: TestService['log'] = [];
  const logger = pino(
    { level: 'debug', messageKey: 'event' },
    { write: (line: string) => void log.push(JSON.parse(line) as TestService['log'][number]) },
  );
  const database = await openDatabase(urls.databaseUrl);
  const broker = await openBroker(urls.natsUrl, logger);
  const publisher = new Publisher(broker, logger);
  const calls: Delivery[][] = [];

  @Controller()
  class TestController {
    @Consumes(mailbox)
    take(deliveries: Delivery[]): unknown {
      calls.push(deliveries);
      return handler(deliveries);
    }
  }
  @Module({ controllers: [TestController] })
  class TestModule {}

  const strategy = new JetStreamServer(broker, publisher, new DeadLetters(database, logger), logger);
  const app = await NestFactory.createMicroservice(TestModule, { strategy, logger: false });
  await app.listen();
  let closed: Promise<void> | undefined;
  const close = () => (closed ??= app.close());
  closeLater(close);
  return { publisher, server: strategy, calls, log, close };
}

/** Names that no other test has; the streams belong to all. */
export const newMailbox = (kind: 'cmd' | 'reply' = 'cmd') => `${kind}.t${randomBytes(6).toString('hex')}`;
let messages = 0;
export const newCommand = (replyto?: string): Message =>
  newMessage({ id: `saga-${++messages}/step/do`, type: 'test.do.v1', source: 'test', subject: 's', replyto, data: {} });

/** Everything that is published below the subjects, in the order in which the server took it. */
export async function listen(nats: NatsConnection, ...subjects: string[]) {
  // With somebody listening, the broker would not say that there is no stream yet.
  await ensureStream(await jetstreamManager(nats), 'reply');
  const heard: { subject: string; text: string }[] = [];
  for (const subject of subjects) {
    nats.subscribe(subject, {
      callback: (_, message) => void heard.push({ subject: message.subject, text: message.string() }),
    });
  }
  await nats.flush();
  return heard;
}

/** What the consumer of the mailbox has still to do. */
export async function leftIn(nats: NatsConnection, mailbox: string) {
  const { stream, durable } = consumerOf(mailbox);
  const { num_pending, num_ack_pending } = await (await jetstreamManager(nats)).consumers.info(stream, durable);
  return { waiting: num_pending, unacknowledged: num_ack_pending };
}
export const nothing = { waiting: 0, unacknowledged: 0 };
