import { type NatsConnection, TimeoutError } from '@nats-io/transport-node';
import type { Logger } from '@shop/observability';
import { startStack, type Stack } from '@shop/stack';
import { eventually, useStack } from '@shop/testing';
import { register } from 'prom-client';
import {
  answerEach,
  closeAll,
  deadLettersIn,
  type Handler,
  leftIn,
  listen,
  migrateMessaging,
  newCommand,
  newMailbox,
  nothing,
  openBroker,
  openDatabase,
  openNats,
  silent,
  startService as startServiceAt,
  succeed,
  type TestService,
} from '../testing/test-service';
import { letterOf } from './dead-letter';
import { listDeadLetters } from './dead-letter.repository';
import { DeadLetters } from './dead-letters';
import { Replies } from './mailbox';
import { decodeBatch, type Message, shortWayOf } from './message';
import { Publisher } from './publisher';
import { ShortWayIn } from './short-way-in';
import { consumerOf } from './topology';

const stack = useStack({ migrate: migrateMessaging });
let nats: NatsConnection;
let replies: string;
beforeEach(async () => {
  nats = await openNats(stack.natsUrl);
  replies = newMailbox('reply');
});
afterEach(closeAll);

const take = answerEach(() => undefined);
const startService = (mailbox: string, handler: Handler, natsUrl = stack.natsUrl) =>
  startServiceAt(mailbox, handler, { natsUrl, databaseUrl: stack.databaseUrl });

/** A replica that waits for replies; it makes its consumer behind its short way. */
async function startReplica(handler: Handler, natsUrl?: string): Promise<TestService> {
  const replica = await startService(replies, handler, natsUrl);
  await eventually(() => leftIn(nats, replies));
  return replica;
}
const openSender = async () => new Publisher(await openBroker(stack.natsUrl), silent);
const sendAll = (sender: Publisher, messages: readonly Message[], replica: string) =>
  messages.forEach((message) => sender.send(replies, message, replica));
const some = (count: number) => Array.from({ length: count }, () => newCommand());

const idsOf = (messages: readonly Message[]) => messages.map(({ id }) => id);
const batches = ({ calls }: Pick<TestService, 'calls'>) =>
  calls.map((deliveries) => idsOf(deliveries.map(({ message }) => message)));
/** What came to the durable mailbox, batch by batch. */
const listenToMailbox = async () => {
  const heard = await listen(nats, `${replies}.>`);
  return () => heard.map(({ text }) => idsOf(decodeBatch(text)));
};
/** The batches of this process, by outcome. */
async function counted(): Promise<{ sent: number; unheard: number }> {
  const { values } = await register.getSingleMetric('messaging_short_way_batches_total')!.get();
  const of = (outcome: string) => values.find(({ labels }) => labels.outcome === outcome)?.value ?? 0;
  return { sent: of('sent'), unheard: of('unheard') };
}
/** Fails the first time. */
const failOnce = (fail: Handler): Handler => {
  let calls = 0;
  return (deliveries) => (calls++ === 0 ? fail(deliveries) : take(deliveries));
};
const outOfLuck = () => {
  throw new Error('out of luck');
};

describe('the short way', () => {
  it('brings the reply to the replica that sent the command, and nothing to the durable mailbox', async () => {
    const mailbox = newMailbox();
    const durable = await listenToMailbox();
    const replicas = [await startReplica(take), await startReplica(take)];
    await startService(mailbox, succeed);
    const asked = replicas.map(({ publisher: { replica } }) =>
      some(20).map((one) => ({ ...one, replyto: replies, replica })),
    );
    replicas.forEach(({ publisher }, index) => asked[index]!.forEach((one) => publisher.send(mailbox, one)));
    const answered = ({ calls }: TestService) => calls.flat().map(({ message }) => message.causationid);
    await eventually(() => expect(replicas.map(answered)).toEqual(asked.map(idsOf)));
    expect(durable()).toEqual([]);
  });

  it('R11 ends at the durable mailbox where nobody listens: the batch is there as it was, once', async () => {
    const durable = await listenToMailbox();
    const stays = await startReplica(take);
    const [sent, sentNext] = [some(5), some(5)];
    const sender = await openSender();
    sendAll(sender, sent, 'gone');
    await eventually(() => expect(batches(stays)).toEqual([idsOf(sent)]));
    sendAll(sender, sentNext, 'gone');
    await eventually(() => expect(batches(stays)).toEqual([idsOf(sent), idsOf(sentNext)]));
    expect(durable()).toEqual([idsOf(sent), idsOf(sentNext)]);
    await eventually(async () => expect(await leftIn(nats, replies)).toEqual(nothing));
  });

  it('R50 counts what it sends, and what nobody listened for', async () => {
    const stays = await startReplica(take);
    const sender = await openSender();
    const before = await counted();
    sendAll(sender, some(2), stays.publisher.replica);
    await eventually(() => expect(stays.calls).toHaveLength(1));
    sendAll(sender, some(2), 'gone');
    await eventually(() => expect(stays.calls).toHaveLength(2));
    const after = await counted();
    expect([after.sent - before.sent, after.unheard - before.unheard]).toEqual([2, 1]);
  });

  it('R10 brings the reply to the broker before the ack of its command', async () => {
    const mailbox = newMailbox();
    const { stream, durable } = consumerOf(mailbox);
    const { publisher } = await startService(mailbox, succeed);
    const heard = await listen(nats, shortWayOf(replies, 'waiting', 'test'), `$JS.ACK.${stream}.${durable}.>`);
    for (let command = 1; command <= 2; command++) {
      heard.splice(0);
      publisher.send(mailbox, { ...newCommand(replies), replica: 'waiting' });
      await eventually(() => expect(heard).toHaveLength(2));
      expect(heard.map(({ subject }) => subject)).toEqual([
        shortWayOf(replies, 'waiting', 'test'),
        expect.stringContaining('$JS.ACK'),
      ]);
    }
  });

  it('R45 gives up what the broker cannot take either way, and that alone', async () => {
    const replica = await startReplica(take);
    const warn = jest.fn();
    const sender = new Publisher(await openBroker(stack.natsUrl), { warn } as unknown as Logger);
    const [large, next] = [newCommand(), newCommand()];
    const data = { padding: 'x'.repeat(nats.info!.max_payload) };
    sendAll(sender, [{ ...large, data }, next], replica.publisher.replica);
    await eventually(() => expect(batches(replica)).toEqual([[next.id]]));
    await eventually(() =>
      expect(warn.mock.calls).toEqual([[expect.objectContaining({ mailbox: replies }), 'messaging.publish.failed']]),
    );
  });

  it('takes a batch that nobody answered in time for taken', async () => {
    const durable = await listenToMailbox();
    const warn = jest.fn();
    const broker = await openBroker(stack.natsUrl);
    const request = jest.spyOn(broker.nats, 'request').mockRejectedValue(new TimeoutError());
    const before = await counted();
    new Publisher(broker, { warn } as unknown as Logger).send(replies, newCommand(), 'waiting');
    await eventually(() => expect(request).toHaveBeenCalledTimes(1));
    await broker.ping();
    await nats.flush();
    expect(durable()).toEqual([]);
    expect(warn).not.toHaveBeenCalled();
    expect(await counted()).toEqual({ ...before, sent: before.sent + 1 });
  });

  it.each([['a.b'], ['>'], ['two words'], [''], ['x'.repeat(65)], [7], [null]])(
    'R46 is not taken to what is no name of a replica: %j',
    async (replica) => {
      const mailbox = newMailbox();
      const durable = await listenToMailbox();
      const { publisher, log } = await startService(mailbox, succeed);
      const command = { ...newCommand(replies), replica } as Message;
      publisher.send(mailbox, command);
      await eventually(() => expect(durable()).toEqual([[`${command.id}/reply`]]));
      expect(log).not.toContainEqual(expect.objectContaining({ event: 'messaging.publish.failed' }));
    },
  );

  it('R46 brings again by the durable mailbox what failed, and nothing else', async () => {
    const durable = await listenToMailbox();
    const sent = some(3);
    const failing = answerEach(({ message }) => (message.id === sent[1]!.id ? outOfLuck() : undefined));
    const replica = await startReplica(failOnce(failing));
    sendAll(await openSender(), sent, replica.publisher.replica);
    await eventually(() => expect(batches(replica)).toEqual([idsOf(sent), [sent[1]!.id]]));
    expect(durable()).toEqual([[sent[1]!.id]]);
    expect(replica.log).toContainEqual(
      expect.objectContaining({ event: 'messaging.batch.failed', mailbox: replies, reason: 'out of luck' }),
    );
    await eventually(async () => expect(await leftIn(nats, replies)).toEqual(nothing));
  });

  it.each<[string, Handler]>([
    ['throws', outOfLuck],
    ['rejects', () => Promise.reject(new Error('out of luck'))],
    ['leaves a message without an answer', () => new Replies([])],
  ])('R46 brings all again by the durable mailbox when the handler %s', async (_, fail) => {
    const durable = await listenToMailbox();
    const sent = some(3);
    const replica = await startReplica(failOnce(fail));
    sendAll(await openSender(), sent, replica.publisher.replica);
    await eventually(() => expect(batches(replica)).toEqual([idsOf(sent), idsOf(sent)]));
    expect(durable()).toEqual([idsOf(sent)]);
    await eventually(async () => expect(await leftIn(nats, replies)).toEqual(nothing));
  });

  it('R46 leads what cannot be read to the dead letters', async () => {
    const database = await openDatabase(stack.databaseUrl);
    const replica = await startReplica(take);
    nats.publish(shortWayOf(replies, replica.publisher.replica, 'test'), 'no batch');
    const letters = async () =>
      (
        await listDeadLetters(deadLettersIn(database), { reach: { tenant: 'acme', unowned: true }, limit: 1_000 })
      ).filter(({ mailbox }) => mailbox === replies);
    await eventually(async () => expect(await letters()).toMatchObject([{ readable: false, size: 'no batch'.length }]));
    expect(replica.calls).toEqual([]);
  });

  it('R46 is not for what is known as a dead letter: it is tried alone', async () => {
    const durable = await listenToMailbox();
    const [bad, good] = [newCommand(), newCommand()];
    const deadLetters = new DeadLetters(await openDatabase(stack.databaseUrl), silent);
    const arrival = { mailbox: replies, deliveries: 5, firstSeenAt: new Date() };
    await deadLetters.putAway(letterOf(bad, new Error('out of luck'), false, arrival));
    const replica = await startReplica(take);
    const sender = await openSender();
    sender.send(replies, bad, replica.publisher.replica);
    await eventually(() => expect(replica.calls).toEqual([[{ message: bad, suspect: true }]]));
    sender.send(replies, good, replica.publisher.replica);
    await eventually(() => expect(replica.calls[1]).toEqual([{ message: good, suspect: false }]));
    expect(durable()).toEqual([[bad.id]]);
  });

  it('R45 leads to the durable mailbox while the replica has too much in work', async () => {
    const durable = await listenToMailbox();
    let finish!: () => void;
    const finished = new Promise<undefined>((resolve) => (finish = () => resolve(undefined)));
    const replica = await startReplica(answerEach(() => finished));
    const sender = await openSender();
    sendAll(sender, some(20_000), replica.publisher.replica);
    await eventually(() => expect(replica.calls.flat()).toHaveLength(20_000));
    expect(durable()).toEqual([]);
    const [late, later] = [newCommand(), newCommand()];
    sender.send(replies, late, replica.publisher.replica);
    await eventually(() => expect(durable()).toEqual([[late.id]]));
    finish();
    await eventually(async () => expect(await leftIn(nats, replies)).toEqual(nothing));
    sender.send(replies, later, replica.publisher.replica);
    await eventually(() => expect(batches(replica).at(-1)).toEqual([later.id]));
    expect(durable()).toEqual([[late.id]]);
  });
});

describe('R53 closing', () => {
  it('R53 sends senders to the durable mailbox, and waits for what came before', async () => {
    const durable = await listenToMailbox();
    let finish!: () => void;
    const finished = new Promise<undefined>((resolve) => (finish = () => resolve(undefined)));
    const replica = await startReplica(answerEach(() => finished));
    const sender = await openSender();
    sender.send(replies, newCommand(), replica.publisher.replica);
    await eventually(() => expect(replica.calls).toHaveLength(1));
    let closed = false;
    const done = replica.close().then(() => (closed = true));
    await eventually(() => {
      sender.send(replies, newCommand(), replica.publisher.replica);
      expect(durable()).not.toEqual([]);
    });
    expect(closed).toBe(false);
    finish();
    await done;
    expect(batches(replica).flat()).not.toContain(durable()[0]![0]);
    await eventually(async () => expect((await leftIn(nats, replies)).waiting).toBe(durable().length));
  });

  it('R53 hands what fails meanwhile to the durable mailbox', async () => {
    const durable = await listenToMailbox();
    let fail!: () => void;
    const failed = new Promise<undefined>((_, reject) => (fail = () => reject(new Error('out of luck'))));
    const replica = await startReplica(answerEach(() => failed));
    const reply = newCommand();
    (await openSender()).send(replies, reply, replica.publisher.replica);
    await eventually(() => expect(replica.calls).toHaveLength(1));
    const done = replica.close();
    fail();
    await done;
    await eventually(() => expect(durable()).toEqual([[reply.id]]));
    const next = await startReplica(take);
    await eventually(() => expect(batches(next)).toEqual([[reply.id]]));
  });
});

describe('R53 a short way whose connection was closed', () => {
  it('R53 can be closed all the same', async () => {
    const broker = await openBroker(stack.natsUrl);
    const mailbox = { name: replies, handler: async () => undefined, refuses: () => false };
    const way = new ShortWayIn(broker, new Publisher(broker, silent), mailbox, silent);
    await broker.close();
    way.close();
    await eventually(() => expect(way.idle).toBe(true));
  });
});

describe('R53 a sender that closes', () => {
  it('R53 says nothing of what it has sent the short way before', async () => {
    const replica = await startReplica(take);
    const warn = jest.fn();
    const broker = await openBroker(stack.natsUrl);
    const sent = newCommand();
    new Publisher(broker, { warn } as unknown as Logger).send(replies, sent, replica.publisher.replica);
    await eventually(() => expect(batches(replica)).toEqual([[sent.id]]));
    await broker.close();
    await nats.flush();
    expect(warn).not.toHaveBeenCalled();
  });
});

describe('R10 with a broker that goes away', () => {
  let own: Stack;
  beforeAll(async () => {
    // A broker of our own to break; the databases of the others will do.
    own = await startStack({
      databases: [],
      env: { ...process.env, DATABASE_URL: stack.adminUrl, NATS_URL: undefined },
    });
  }, 60_000);
  afterAll(() => own.stop());

  beforeEach(async () => {
    nats = await openNats(own.natsUrl);
  });

  it('R10 the short way is open again when the broker is back', async () => {
    const replica = await startReplica(take, own.natsUrl);
    const sender = new Publisher(await openBroker(own.natsUrl), silent);
    const durable = await listenToMailbox();
    await own.killNats();
    await own.startNats();
    await eventually(() => nats.flush());
    // Who is back before the replica finds nobody there.
    await eventually(async () => {
      const reply = newCommand();
      sender.send(replies, reply, replica.publisher.replica);
      await eventually(() => expect(batches(replica).flat()).toContain(reply.id), { timeoutMs: 2_000 });
      expect(durable().flat()).not.toContain(reply.id);
    });
  });
});
