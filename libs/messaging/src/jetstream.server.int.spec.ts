import { randomBytes } from 'node:crypto';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { jetstreamManager } from '@nats-io/jetstream';
import { Controller, type INestMicroservice, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { createLogger, type Logger } from '@shop/observability';
import { RetryableError } from '@shop/resilience';
import { startStack, type Stack } from '@shop/stack';
import { eventually, useStack } from '@shop/testing';
import pino from 'pino';
import { Broker } from './broker';
import { replyTo } from './command';
import { JetStreamServer } from './jetstream.server';
import { Answers, Consumes, type Delivery } from './mailbox';
import { decodeBatch, type Message, newMessage, subjectOf } from './message';
import { Publisher } from './publisher';
import { consumerOf, ensureStream } from './topology';

const stack = useStack();
const silent = createLogger({ service: 'test', level: 'silent', format: 'json' });

type Handler = (deliveries: Delivery[]) => unknown;
const answerEach = (answer: (delivery: Delivery) => Promise<Message | undefined> | Message | undefined): Handler => {
  return (deliveries) => new Answers(deliveries.map(async (delivery) => answer(delivery)));
};
const succeed = answerEach(({ message }) => replyTo(message, 'test', { outcome: 'succeeded' }));

interface Service {
  app: INestMicroservice;
  publisher: Publisher;
  /** What the handler was given, call by call. */
  calls: Delivery[][];
  log: ({ event: string } & Record<string, unknown>)[];
  close: () => Promise<void>;
}

let closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.reverse()) await close();
  closing = [];
});

async function openBroker(url: string, logger: Logger = silent): Promise<Broker> {
  const broker = new Broker({ url, name: 'test', logger });
  await broker.connect();
  closing.push(() => broker.close());
  return broker;
}

/** A service with one controller, as small as can be. */
async function startService(mailbox: string, handler: Handler, url = stack.natsUrl): Promise<Service> {
  const log: Service['log'] = [];
  const logger = pino(
    { level: 'debug', messageKey: 'event' },
    { write: (line: string) => void log.push(JSON.parse(line) as Service['log'][number]) },
  );
  const broker = await openBroker(url, logger);
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

  const strategy = new JetStreamServer(broker, publisher, logger);
  const app = await NestFactory.createMicroservice(TestModule, { strategy, logger: false });
  await app.listen();
  let closed: Promise<void> | undefined;
  const close = () => (closed ??= app.close());
  closing.push(close);
  return { app, publisher, calls, log, close };
}

/** Names that no other test has; the streams belong to all. */
const newMailbox = (kind: 'cmd' | 'reply' = 'cmd') => `${kind}.t${randomBytes(6).toString('hex')}`;
let messages = 0;
const newCommand = (replyto?: string): Message =>
  newMessage({ id: `saga-${++messages}/step/do`, type: 'test.do.v1', source: 'test', subject: 's', replyto, data: {} });

async function openNats(url = stack.natsUrl): Promise<NatsConnection> {
  const connection = await connect({ servers: url });
  closing.push(() => connection.close());
  return connection;
}

/** Everything that is published below the subjects, in the order in which the server took it. */
async function listen(nats: NatsConnection, ...subjects: string[]) {
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
async function leftIn(nats: NatsConnection, mailbox: string) {
  const { stream, durable } = consumerOf(mailbox);
  const { num_pending, num_ack_pending } = await (await jetstreamManager(nats)).consumers.info(stream, durable);
  return { waiting: num_pending, unacknowledged: num_ack_pending };
}
const nothing = { waiting: 0, unacknowledged: 0 };
const idsIn = (calls: Delivery[][]) => calls.flat().map(({ message }) => message.id);

describe('a consumer', () => {
  it('takes what was sent together as one batch, answers each message, and acknowledges the batch', async () => {
    const nats = await openNats();
    const [mailbox, replies] = [newMailbox(), newMailbox('reply')];
    const heard = await listen(nats, `${replies}.>`);
    const { publisher, calls } = await startService(mailbox, succeed);
    const commands = [newCommand(replies), newCommand(replies), newCommand(replies)];
    for (const command of commands) publisher.send(mailbox, command);
    await eventually(() => expect(heard).toHaveLength(1));
    expect(calls).toEqual([commands.map((message) => ({ message, suspect: false }))]);
    expect(decodeBatch(heard[0]!.text).map(({ causationid }) => causationid)).toEqual(commands.map(({ id }) => id));
    await eventually(async () => expect(await leftIn(nats, mailbox)).toEqual(nothing));
  });

  it('R10 hands the replies to the broker before it acknowledges', async () => {
    const nats = await openNats();
    const [mailbox, replies] = [newMailbox(), newMailbox('reply')];
    const { stream, durable } = consumerOf(mailbox);
    const heard = await listen(nats, `${replies}.>`, `$JS.ACK.${stream}.${durable}.>`);
    const { publisher } = await startService(mailbox, succeed);
    publisher.send(mailbox, newCommand(replies));
    await eventually(() => expect(heard).toHaveLength(2));
    expect(heard[0]!.subject).toBe(subjectOf(replies));
    expect(heard[1]!.text).toBe('+ACK');
  });

  it('R46 is given a batch again when its failure says so', async () => {
    const mailbox = newMailbox();
    let failures = 0;
    const later = new RetryableError('somebody else is on it', { retryAfterMs: 50 });
    const { publisher, calls, log } = await startService(mailbox, (deliveries) =>
      failures++ === 0 ? new Answers([Promise.reject(later)]) : succeed(deliveries),
    );
    publisher.send(mailbox, newCommand());
    await eventually(() => expect(calls).toHaveLength(2));
    expect(log).toContainEqual(expect.objectContaining({ event: 'messaging.batch.postponed', delayMs: 50 }));
  });

  it('needs no reply to a message that asks for none, or has none', async () => {
    const nats = await openNats();
    const mailbox = newMailbox();
    const { publisher, calls } = await startService(
      mailbox,
      answerEach(({ message }) => (message.replyto ? undefined : replyTo(message, 'test', { outcome: 'succeeded' }))),
    );
    for (const command of [newCommand(), newCommand(newMailbox('reply'))]) publisher.send(mailbox, command);
    await eventually(() => expect(calls.flat()).toHaveLength(2));
    await eventually(async () => expect(await leftIn(nats, mailbox)).toEqual(nothing));
  });

  it.each<[string, Handler]>([
    [
      'one of its answers fails',
      answerEach(async () => {
        throw new Error('out of luck');
      }),
    ],
    [
      'it throws',
      () => {
        throw new Error('out of luck');
      },
    ],
    ['it rejects', () => Promise.reject(new Error('out of luck'))],
    ['it answers something else', () => [Promise.resolve()]],
    ['it leaves a message without an answer', () => new Answers([])],
  ])('R46 is given a batch again, later, and marked as suspect after the second time, when %s', async (_, fail) => {
    const nats = await openNats();
    const mailbox = newMailbox();
    let failures = 0;
    const at: number[] = [];
    const { publisher, calls, log } = await startService(mailbox, (deliveries) => {
      at.push(Date.now());
      return failures++ < 2 ? fail(deliveries) : succeed(deliveries);
    });
    const command = newCommand();
    publisher.send(mailbox, command);
    await eventually(() => expect(calls).toHaveLength(3));
    expect(calls).toEqual([false, false, true].map((suspect) => [{ message: command, suspect }]));
    expect(log).toContainEqual(
      expect.objectContaining({ event: 'messaging.batch.failed', deliveries: 1, delayMs: 250 }),
    );
    // The server's clock and ours may differ by a little.
    expect(at[1]! - at[0]!).toBeGreaterThan(200);
    await eventually(async () => expect(await leftIn(nats, mailbox)).toEqual(nothing));
  });

  it('R46 works on other batches while one of them fails again and again, or takes long', async () => {
    const mailbox = newMailbox();
    const [bad, slow] = [newCommand(), newCommand()];
    let finish!: () => void;
    const finished = new Promise<void>((resolve) => (finish = resolve));
    const answered: string[] = [];
    const { publisher } = await startService(
      mailbox,
      answerEach(async ({ message }) => {
        if (message.id === bad.id) throw new Error('out of luck');
        if (message.id === slow.id) await finished;
        answered.push(message.id);
        return undefined;
      }),
    );
    publisher.send(mailbox, bad);
    publisher.send(mailbox, slow);
    const good = newCommand();
    publisher.send(mailbox, good);
    await eventually(() => expect(answered).toEqual([good.id]));
    finish();
    await eventually(() => expect(answered).toEqual([good.id, slow.id]));
  });

  it('R46 puts an unreadable batch away for good, and its neighbours pass', async () => {
    const nats = await openNats();
    const mailbox = newMailbox();
    const { publisher, calls, log } = await startService(mailbox, succeed);
    const [before, after] = [newCommand(), newCommand()];
    publisher.send(mailbox, before);
    for (const bytes of ['garbage', '{}', '[{"id":1}]']) nats.publish(subjectOf(mailbox), bytes);
    await nats.flush();
    publisher.send(mailbox, after);
    await eventually(() => expect(idsIn(calls)).toEqual([before.id, after.id]));
    await eventually(async () => expect(await leftIn(nats, mailbox)).toEqual(nothing));
    expect(log.filter(({ event }) => event === 'messaging.batch.unreadable')).toHaveLength(3);
  });

  it('R11 shares its mailbox with other replicas: each message goes to one of them', async () => {
    const mailbox = newMailbox();
    const replicas = [await startService(mailbox, succeed), await startService(mailbox, succeed)];
    const commands = Array.from({ length: 40 }, () => newCommand());
    for (const command of commands) replicas[0]!.publisher.send(mailbox, command);
    const taken = () => replicas.flatMap(({ calls }) => idsIn(calls)).sort();
    await eventually(() => expect(taken()).toEqual(commands.map(({ id }) => id).sort()));
  });
});

describe('R53 closing', () => {
  it('R53 waits for the messages in work, acknowledges them, and takes no more', async () => {
    const nats = await openNats();
    const mailbox = newMailbox();
    let finish!: () => void;
    const finished = new Promise<void>((resolve) => (finish = resolve));
    const { publisher, calls, close } = await startService(
      mailbox,
      answerEach(async () => {
        await finished;
        return undefined;
      }),
    );
    publisher.send(mailbox, newCommand());
    await eventually(() => expect(calls).toHaveLength(1));
    let closed = false;
    const done = close().then(() => (closed = true));
    publisher.send(mailbox, newCommand());
    expect(await leftIn(nats, mailbox)).toMatchObject({ unacknowledged: 1 });
    expect(closed).toBe(false);
    finish();
    await done;
    await eventually(async () => expect(await leftIn(nats, mailbox)).toEqual({ waiting: 1, unacknowledged: 0 }));
    expect(calls).toHaveLength(1);
  });

  it('R53 right after the start takes no message either', async () => {
    const mailbox = newMailbox();
    const stays = await startService(mailbox, succeed);
    stays.publisher.send(mailbox, newCommand());
    await eventually(() => expect(stays.calls).toHaveLength(1));
    const leaves = await startService(mailbox, succeed);
    await leaves.close();
    // Enough that a replica which pulls in spite of that gets some of them.
    for (let sent = 1; sent <= 50; sent++) stays.publisher.send(mailbox, newCommand());
    await eventually(() => expect([...stays.calls, ...leaves.calls].flat()).toHaveLength(51));
    expect(leaves.calls).toEqual([]);
  });
});

describe('a publisher', () => {
  it('R45 sends more at once than fits into one message of the broker', async () => {
    const mailbox = newMailbox();
    const { publisher, calls } = await startService(mailbox, succeed);
    const nats = await openNats();
    const data = { padding: 'x'.repeat(nats.info!.max_payload / 50) };
    const commands = Array.from({ length: 100 }, () => ({ ...newCommand(), data }));
    for (const command of commands) publisher.send(mailbox, command);
    await eventually(() => expect(idsIn(calls).sort()).toEqual(commands.map(({ id }) => id).sort()));
  });
});

describe('R53 a publisher whose connection was closed', () => {
  it('R53 says so, and does not bring the process down', async () => {
    const broker = await openBroker(stack.natsUrl);
    const warn = jest.fn();
    const publisher = new Publisher(broker, { warn } as unknown as Logger);
    await broker.close();
    publisher.send(newMailbox(), newCommand());
    await eventually(() => expect(warn).toHaveBeenCalledWith(expect.anything(), 'messaging.publish.failed'));
  });
});

describe('R10 a broker that has lost', () => {
  let own: Stack;
  beforeAll(async () => {
    // A broker of our own to break; the databases of the others will do.
    own = await startStack({
      databases: [],
      env: { ...process.env, DATABASE_URL: stack.adminUrl, NATS_URL: undefined },
    });
  }, 60_000);
  afterAll(() => own.stop());

  const losses: [string, (nats: NatsConnection, mailbox: string) => Promise<unknown>][] = [
    [
      'a consumer',
      async (nats, mailbox) => {
        const { stream, durable } = consumerOf(mailbox);
        await (await jetstreamManager(nats)).consumers.delete(stream, durable);
      },
    ],
    ['a stream', async (nats, mailbox) => (await jetstreamManager(nats)).streams.delete(consumerOf(mailbox).stream)],
    ['its whole disk', () => own.wipeNats()],
  ];

  it.each(losses)('R10 %s has it made again, and messages flow', async (_, lose) => {
    const nats = await openNats(own.natsUrl);
    const [mailbox, replies] = [newMailbox(), newMailbox('reply')];
    const asking = await startService(
      replies,
      answerEach(() => undefined),
      own.natsUrl,
    );
    await startService(mailbox, succeed, own.natsUrl);
    const answered = () => asking.calls.flat().map(({ message }) => message.causationid);
    const before = newCommand(replies);
    asking.publisher.send(mailbox, before);
    await eventually(() => expect(answered()).toEqual([before.id]));
    await lose(nats, mailbox);
    const after = newCommand(replies);
    // As a saga does: the same command again and again, until its reply is there.
    await eventually(
      () => {
        asking.publisher.send(mailbox, after);
        expect(answered()).toContain(after.id);
      },
      { intervalMs: 100 },
    );
  });

  it('R10 a stream that nobody listens to has it made again by who sends', async () => {
    const manager = await jetstreamManager(await openNats(own.natsUrl));
    const mailbox = newMailbox();
    const publisher = new Publisher(await openBroker(own.natsUrl), silent);
    const command = newCommand();
    const sendAndCount = async () => {
      publisher.send(mailbox, command);
      const { state } = await manager.streams.info(consumerOf(mailbox).stream);
      expect(state.messages).toBeGreaterThan(0);
    };
    await eventually(sendAndCount);
    await manager.streams.delete(consumerOf(mailbox).stream);
    await eventually(sendAndCount, { intervalMs: 100 });
    const { calls } = await startService(mailbox, succeed, own.natsUrl);
    await eventually(() => expect(idsIn(calls)).toContain(command.id));
  });

  it('R45 has what is sent while it is away held for it, up to a limit', async () => {
    const mailbox = newMailbox();
    const broker = await openBroker(own.natsUrl);
    const publisher = new Publisher(broker, silent);
    const { calls } = await startService(mailbox, succeed, own.natsUrl);
    await own.killNats();
    await eventually(() => expect(broker.isConnected).toBe(false));
    const held = Array.from({ length: 20_000 }, () => newCommand());
    for (const command of held) publisher.send(mailbox, command);
    publisher.send(mailbox, newCommand());
    await own.startNats();
    await eventually(() => expect(idsIn(calls).sort()).toEqual(held.map(({ id }) => id).sort()));
  });

  it('R10 the connection is waited for at the start, and found again later', async () => {
    await own.killNats();
    const broker = new Broker({ url: own.natsUrl, name: 'test', logger: silent });
    expect(() => broker.nats).toThrow('not connected');
    const connecting = broker.connect();
    closing.push(() => broker.close());
    await own.startNats();
    await connecting;
    await broker.ping();
    await own.killNats();
    await own.startNats();
    await eventually(() => broker.ping());
  });
});
