import type { NatsConnection } from '@nats-io/transport-node';
import { jetstreamManager } from '@nats-io/jetstream';
import type { Logger } from '@shop/observability';
import { RetryableError } from '@shop/resilience';
import { startStack, type Stack } from '@shop/stack';
import { eventually, useStack } from '@shop/testing';
import {
  answerEach,
  closeAll,
  closeLater,
  type Handler,
  leftIn,
  listen,
  migrateMessaging,
  newCommand,
  newMailbox,
  nothing,
  openBroker,
  openNats as openNatsAt,
  silent,
  startService as startServiceAt,
  succeed,
} from '../testing/test-service';
import { Broker } from './broker';
import { replyTo } from './reply';
import { Replies, type Delivery } from './mailbox';
import { decodeBatch, encodeBatch, subjectFrom } from './message';
import { Publisher } from './publisher';
import { consumerOf } from './topology';

const stack = useStack({ migrate: migrateMessaging });
afterEach(closeAll);

const startService = (mailbox: string, handler: Handler, natsUrl = stack.natsUrl) =>
  startServiceAt(mailbox, handler, { natsUrl, databaseUrl: stack.databaseUrl });
const openNats = (url = stack.natsUrl) => openNatsAt(url);

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
    expect(heard[0]!.subject).toBe(subjectFrom(replies, 'test'));
    expect(heard[1]!.text).toBe('+ACK');
  });

  it('R54 sends a reply at once, and acknowledges when the slow ones of the batch have theirs', async () => {
    const nats = await openNats();
    const [mailbox, replies] = [newMailbox(), newMailbox('reply')];
    const heard = await listen(nats, `${replies}.>`);
    let finish: () => void = () => undefined;
    const slow = new Promise<void>((resolve) => (finish = resolve));
    const { publisher, calls } = await startService(
      mailbox,
      answerEach(async ({ message }) => {
        if (message === calls[0]![0]!.message) await slow;
        return replyTo(message, 'test', { outcome: 'succeeded' });
      }),
    );
    const commands = [newCommand(replies), newCommand(replies)];
    for (const command of commands) publisher.send(mailbox, command);
    const answered = () => heard.flatMap(({ text }) => decodeBatch(text).map(({ causationid }) => causationid));
    await eventually(() => expect(answered()).toEqual([commands[1]!.id]));
    expect((await leftIn(nats, mailbox)).unacknowledged).toBe(1);
    finish();
    await eventually(() => expect(answered()).toEqual([commands[1]!.id, commands[0]!.id]));
    await eventually(async () => expect(await leftIn(nats, mailbox)).toEqual(nothing));
  });

  it('R46 is given a batch again when its failure says so', async () => {
    const mailbox = newMailbox();
    let failures = 0;
    const later = new RetryableError('somebody else is on it', { retryAfterMs: 50 });
    const { publisher, calls, log } = await startService(mailbox, (deliveries) =>
      failures++ === 0 ? new Replies([Promise.reject(later)]) : succeed(deliveries),
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
    ['it leaves a message without an answer', () => new Replies([])],
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

  it('R45 leaves room for the headers, which the broker counts too', async () => {
    const mailbox = newMailbox();
    const { publisher, calls } = await startService(mailbox, succeed);
    const nats = await openNats();
    const commands = [newCommand(), newCommand()];
    const padding = 'x'.repeat(nats.info!.max_payload - encodeBatch(commands).length - `"padding":""`.length);
    commands[0] = { ...commands[0]!, data: { padding } };
    expect(encodeBatch(commands)).toHaveLength(nats.info!.max_payload);
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

describe('R11 a replica that cannot work', () => {
  it('R11 gives its messages to the others while it is paused, and takes its share again afterwards', async () => {
    const nats = await openNats();
    const mailbox = newMailbox();
    const never = () => new Promise<undefined>(() => undefined);
    const stuck = await startService(mailbox, (deliveries) => new Replies(deliveries.map(never)));
    const command = newCommand();
    await eventually(() => {
      stuck.publisher.send(mailbox, command);
      expect(idsIn(stuck.calls)).toContain(command.id);
    });
    stuck.server.pause();
    const well = await startService(mailbox, succeed);
    await eventually(() => expect(idsIn(well.calls)).toContain(command.id));
    await eventually(async () => expect(await leftIn(nats, mailbox)).toEqual(nothing));
    const before = stuck.calls.length;
    await well.close();
    const late = newCommand();
    stuck.publisher.send(mailbox, late);
    await eventually(async () => expect(await leftIn(nats, mailbox)).toEqual({ waiting: 1, unacknowledged: 0 }));
    expect(stuck.server.lostMailboxes.size).toBe(0);
    expect(stuck.calls).toHaveLength(before);
    stuck.server.resume();
    await eventually(() => expect(idsIn(stuck.calls)).toContain(late.id));
  });

  it('R50 says which mailbox it cannot pull from, and why', async () => {
    const manager = await jetstreamManager(await openNats());
    const mailbox = `evt.${newMailbox().slice(4)}@test`;
    const { server } = await startService(mailbox, succeed);
    expect([...server.lostMailboxes.keys()]).toEqual([mailbox]);
    await eventually(() => expect(server.lostMailboxes.size).toBe(0));
    expect((await manager.streams.info(consumerOf(mailbox).stream)).config.name).toBe('EVENTS');
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

  it('R50 the room for its streams has this said for each mailbox, until there is room', async () => {
    const manager = await jetstreamManager(await openNats(own.natsUrl));
    for await (const { config } of manager.streams.list()) await manager.streams.delete(config.name);
    // Core NATS answers as always.
    await manager.streams.add({ name: 'TAKEN', subjects: ['cmd.*.batch'] });
    const mailbox = newMailbox();
    const { server } = await startService(mailbox, succeed, own.natsUrl);
    await eventually(() => expect(server.lostMailboxes.get(mailbox)).toMatch(/overlap/));
    await manager.streams.delete('TAKEN');
    await eventually(() => expect(server.lostMailboxes.size).toBe(0));
  });

  it('R50 the stream that is pulled from is noticed without a message, and has it made again', async () => {
    const manager = await jetstreamManager(await openNats(own.natsUrl));
    const mailbox = newMailbox();
    const { server, log } = await startService(mailbox, succeed, own.natsUrl);
    await eventually(() => expect(server.lostMailboxes.size).toBe(0));
    await manager.streams.delete(consumerOf(mailbox).stream);
    await eventually(() => expect(log.map(({ event }) => event)).toContain('messaging.consumer.lost'), {
      timeoutMs: 15_000,
    });
    await eventually(() => expect(server.lostMailboxes.size).toBe(0));
  }, 20_000);

  it('R10 the connection is waited for at the start, and found again later', async () => {
    await own.killNats();
    const broker = new Broker({ url: own.natsUrl, service: 'test', logger: silent });
    expect(() => broker.nats).toThrow('not connected');
    const connecting = broker.connect();
    closeLater(() => broker.close());
    await own.startNats();
    await connecting;
    await broker.ping();
    await own.killNats();
    await own.startNats();
    await eventually(() => broker.ping());
  });
});
