import { join } from 'node:path';
import { jetstreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { type Database, traffic } from '@shop/postgres';
import { RetryableError } from '@shop/resilience';
import { eventually, startProcess, startTcpProxy, useStack } from '@shop/testing';
import {
  answerEach,
  closeAll,
  closeLater,
  deadLettersIn,
  type Handler,
  leftIn,
  migrateMessaging,
  newCommand,
  newMailbox,
  nothing,
  openDatabase,
  openNats,
  startService as startServiceAt,
  succeed,
} from '../testing/test-service';
import { type DeadLetter, payloadOf } from './dead-letter';
import { findDeadLetter, listDeadLetters, type Reach } from './dead-letter.repository';
import { decodeBatch, type Message, subjectOf } from './message';
import { ensureConsumer, ensureStream } from './topology';

const stack = useStack({ migrate: migrateMessaging });
let database: Database;
let nats: NatsConnection;
beforeEach(async () => {
  database = await openDatabase(stack.databaseUrl);
  nats = await openNats(stack.natsUrl);
  await ensureStream(await jetstreamManager(nats), newMailbox());
});
afterEach(closeAll);

/** Trials alone take some four seconds; these are for a machine with other work. */
const patiently = { timeoutMs: 30_000 };
const startService = (mailbox: string, handler: Handler) => startServiceAt(mailbox, handler, stack);

async function lettersOf(mailbox: string): Promise<DeadLetter[]> {
  const letters = await listDeadLetters(deadLettersIn(database), {
    reach: { tenant: 'acme', unowned: true },
    limit: 1_000,
  });
  return letters.filter((letter) => letter.mailbox === mailbox);
}
const soleLetterOf = async (mailbox: string): Promise<DeadLetter> => {
  const letters = await lettersOf(mailbox);
  expect(letters).toHaveLength(1);
  return letters[0]!;
};
const trialsOf = (mailbox: string) =>
  database.query<{ message_id: string; failed: boolean }>(
    { name: 'test.trials', text: 'select message_id, failed from delivery_trial where mailbox = $1' },
    [mailbox],
  );

/** The causes of the replies that come to this mailbox. */
async function answersIn(replies: string): Promise<string[]> {
  await ensureStream(await jetstreamManager(nats), replies);
  const answered: string[] = [];
  nats.subscribe(`${replies}.>`, {
    callback: (_, message) => decodeBatch(message.string()).forEach(({ causationid }) => answered.push(causationid!)),
  });
  await nats.flush();
  return answered;
}

const throwFor =
  (poison: Pick<Message, 'id'>, error: unknown = new Error('out of luck')): Handler =>
  (deliveries) =>
    deliveries.every(({ message }) => message.id !== poison.id)
      ? succeed(deliveries)
      : answerEach(({ message }) => {
          if (message.id === poison.id) throw error;
          return { ...message, causationid: message.id };
        })(deliveries);

/** As one batch of the broker. */
function publish(mailbox: string, messages: Message[]): void {
  nats.publish(subjectOf(mailbox), JSON.stringify(messages));
}

const countOf = (calls: { message: Message }[][], { id }: Message): number =>
  calls.flat().filter(({ message }) => message.id === id).length;

describe('R46 a message that throws', () => {
  it('R46 among fifty good ones ends as a dead letter with its error; the fifty are answered at once', async () => {
    const [mailbox, replies] = [newMailbox(), newMailbox('reply')];
    const good = Array.from({ length: 50 }, () => newCommand(replies));
    const poison = { ...newCommand(replies), data: { tenant: 'acme', amount: 1 } };
    const { calls, log } = await startService(mailbox, throwFor(poison));
    const answered = await answersIn(replies);
    publish(mailbox, [...good.slice(0, 20), poison, ...good.slice(20)]);
    await eventually(() => expect(new Set(answered)).toEqual(new Set(good.map(({ id }) => id))), { timeoutMs: 2_000 });
    const letter = await eventually(() => soleLetterOf(mailbox), patiently);
    expect(letter).toMatchObject({
      messageId: poison.id,
      type: 'test.do.v1',
      saga: 's',
      tenant: 'acme',
      readable: true,
      deliveries: 5,
      killed: false,
      lastError: 'Error: out of luck',
      state: 'open',
      cut: false,
    });
    expect(letter.firstSeenAt.getTime()).toBeLessThan(letter.lastSeenAt.getTime() - 2_000);
    await eventually(async () => expect(await leftIn(nats, mailbox)).toEqual(nothing));
    expect(countOf(calls, poison)).toBe(5);
    expect(await trialsOf(mailbox)).toEqual([]);
    expect(log.filter(({ event }) => event === 'messaging.dead_letter')).toMatchObject([
      { level: 50, mailbox, messageId: poison.id, sagaId: 's', deliveries: 5, reason: 'Error: out of luck' },
    ]);
    const { content } = (await findDeadLetter(deadLettersIn(database), { tenant: 'acme', unowned: true }, letter.id))!;
    expect(decodeBatch(payloadOf(letter, content).toString())).toEqual([poison]);
  });

  it('R46 is one dead letter with two replicas, and its neighbours are answered by either', async () => {
    const [mailbox, replies] = [newMailbox(), newMailbox('reply')];
    const [good, poison] = [Array.from({ length: 10 }, () => newCommand(replies)), newCommand(replies)];
    const services = [await startService(mailbox, throwFor(poison)), await startService(mailbox, throwFor(poison))];
    const answered = await answersIn(replies);
    publish(mailbox, [poison]);
    // The same again, as its saga sends it.
    publish(mailbox, [...good, poison]);
    await eventually(async () => expect(await leftIn(nats, mailbox)).toEqual(nothing), patiently);
    expect(await soleLetterOf(mailbox)).toMatchObject({ messageId: poison.id, state: 'open', killed: false });
    expect(new Set(answered)).toEqual(new Set(good.map(({ id }) => id)));
    expect(await trialsOf(mailbox)).toEqual([]);
    const errors = services.flatMap(({ log }) => log).filter(({ event }) => event === 'messaging.dead_letter');
    expect(errors.length).toBeGreaterThan(0);
  });

  it('R46 that comes again is tried once; when it is done after all, its dead letter is closed', async () => {
    const mailbox = newMailbox();
    const poison = newCommand();
    let mended = false;
    const { calls } = await startService(mailbox, (deliveries) => (mended ? succeed : throwFor(poison))(deliveries));
    publish(mailbox, [poison]);
    await eventually(() => soleLetterOf(mailbox), patiently);
    expect(countOf(calls, poison)).toBe(5);
    publish(mailbox, [newCommand(), poison]);
    await eventually(async () => expect(await soleLetterOf(mailbox)).toMatchObject({ state: 'open', deliveries: 6 }));
    await eventually(async () => expect(await leftIn(nats, mailbox)).toEqual(nothing));
    expect(countOf(calls, poison)).toBe(6);
    mended = true;
    publish(mailbox, [poison]);
    await eventually(async () =>
      expect(await soleLetterOf(mailbox)).toMatchObject({
        state: 'replayed',
        acts: [{ act: 'replayed', by: 'its sender' }],
      }),
    );
    expect(countOf(calls, poison)).toBe(7);
  });

  it('R46 because its reply has no mailbox to go to keeps no other reply and no acknowledgement back', async () => {
    const [mailbox, replies] = [newMailbox(), newMailbox('reply')];
    const [good, poison] = [newCommand(replies), newCommand('no mailbox')];
    await startService(mailbox, succeed);
    const answered = await answersIn(replies);
    publish(mailbox, [poison, good]);
    await eventually(() => expect(answered).toContain(good.id));
    const letter = await eventually(() => soleLetterOf(mailbox), patiently);
    expect(letter).toMatchObject({ messageId: poison.id, lastError: expect.stringContaining('no mailbox') });
    await eventually(async () => expect(await leftIn(nats, mailbox)).toEqual(nothing));
  });

  it('R46 because PostgreSQL cannot keep a NUL of its text ends as a dead letter, whatever else has one', async () => {
    const mailbox = newMailbox();
    const keep = { name: 'test.keep', text: 'select $1::jsonb' };
    await startService(
      mailbox,
      answerEach(async ({ message }) => void (await database.query(keep, [JSON.stringify(message.data)]))),
    );
    const poison = { ...newCommand(), id: 'a\0b', type: 'odd\0type', data: { reason: 'x\u0000y' } };
    publish(mailbox, [newCommand(), poison]);
    const letter = await eventually(() => soleLetterOf(mailbox), patiently);
    expect(letter).toMatchObject({
      messageId: expect.stringMatching(/^sha256:[0-9a-f]{64}$/),
      type: 'odd\ufffdtype',
      lastError: expect.stringMatching(/^error 22P05: /),
    });
    const { content } = (await findDeadLetter(deadLettersIn(database), { tenant: 'acme', unowned: true }, letter.id))!;
    expect(decodeBatch(payloadOf(letter, content).toString())).toEqual([poison]);
    await eventually(async () => expect(await leftIn(nats, mailbox)).toEqual(nothing));
  });
});

describe('R46 a message in good company', () => {
  it('R46 costs no statement more for all this, delivered once or twice', async () => {
    const mailbox = newMailbox();
    const commands = [newCommand(), newCommand()];
    let refused = false;
    const { calls } = await startService(
      mailbox,
      answerEach(() => {
        if (!refused) {
          refused = true;
          throw new RetryableError('later', { retryAfterMs: 10 });
        }
        return undefined;
      }),
    );
    // It has looked for open dead letters when it takes the first message, and looks again in five seconds.
    publish(mailbox, [commands[0]!]);
    await eventually(() => expect(calls).not.toEqual([]));
    const { statements } = traffic;
    publish(mailbox, [commands[1]!]);
    await eventually(async () => expect(await leftIn(nats, mailbox)).toEqual(nothing));
    expect(
      calls
        .flat()
        .map(({ message }) => message.id)
        .sort(),
    ).toEqual([commands[0], ...commands].map((one) => one!.id));
    expect(calls.flat().some(({ suspect }) => suspect)).toBe(false);
    expect(traffic.statements).toBe(statements);
  });
});

describe('R46 bytes that are no batch of messages', () => {
  it('R54 among the messages of others are put away by themselves, each for its tenant, and the others are done', async () => {
    const mailbox = newMailbox();
    const { calls } = await startService(mailbox, succeed);
    const good = Array.from({ length: 3 }, () => newCommand());
    const odd = [
      `{"id":1, "data":{"tenant":"acme"}}`,
      `{ "tenant": "rival", "data": "tok_secret, ] \\" }" }`,
      'null',
      JSON.stringify({ ...newCommand(), data: { tenant: 'acme' } }).replace(
        '"data":{',
        `"data":{"x":${'['.repeat(200)}${']'.repeat(200)},`,
      ),
    ];
    const texts = [odd[0], ...good.map((one) => JSON.stringify(one)), ...odd.slice(1)];
    nats.publish(subjectOf(mailbox), `[ ${texts.join(' ,\n')} ]`);
    await eventually(() => expect(calls.flat().map(({ message }) => message.id)).toEqual(good.map(({ id }) => id)));
    await eventually(async () => expect(await leftIn(nats, mailbox)).toEqual(nothing));
    const lettersIn = async (reach: Reach) => {
      const letters = await listDeadLetters(deadLettersIn(database), { reach, limit: 1_000 });
      const ours = letters.filter((letter) => letter.mailbox === mailbox);
      const found = await Promise.all(ours.map(({ id }) => findDeadLetter(deadLettersIn(database), reach, id)));
      return found.map((letter) => letter!.content.toString()).sort();
    };
    expect(await lettersIn({ tenant: 'acme', unowned: false })).toEqual([`[${odd[3]}]`, `[${odd[0]}]`].sort());
    expect(await lettersIn({ tenant: 'rival', unowned: false })).toEqual([`[${odd[1]}]`]);
    expect(await lettersIn({ tenant: 'nobody', unowned: false })).toEqual([]);
    expect(await lettersIn({ tenant: 'nobody', unowned: true })).toEqual(['[null]']);
  });

  it('R46 are put away as they came, once for the same bytes, and their neighbours pass', async () => {
    const mailbox = newMailbox();
    const { publisher, calls } = await startService(mailbox, succeed);
    const [before, after] = [newCommand(), newCommand()];
    publisher.send(mailbox, before);
    const deep = Buffer.from(
      JSON.stringify([newCommand()]).replace('"data":{}', `"data":${'['.repeat(20_000)}${']'.repeat(20_000)}`),
    );
    // A batch of one odd event is the same as that event alone.
    const odd = [Buffer.from('garbage'), Buffer.from('[{"id":1}]'), Buffer.from([0, 255, 254, 0]), deep];
    for (const bytes of [...odd, odd[0]!]) nats.publish(subjectOf(mailbox), bytes);
    await nats.flush();
    publisher.send(mailbox, after);
    await eventually(() => expect(calls.flat().map(({ message }) => message.id)).toEqual([before.id, after.id]));
    await eventually(async () => expect(await leftIn(nats, mailbox)).toEqual(nothing));
    const letters = await lettersOf(mailbox);
    const contents = await Promise.all(
      letters.map(
        async (letter) =>
          (await findDeadLetter(deadLettersIn(database), { tenant: 'acme', unowned: true }, letter.id))!.content,
      ),
    );
    expect(contents.map((content) => content.toString('hex')).sort()).toEqual(
      odd.map((bytes) => bytes.toString('hex')).sort(),
    );
    expect(letters.map(({ deliveries }) => deliveries).sort()).toEqual([1, 1, 1, 2]);
    expect(letters[0]).toMatchObject({ readable: false, type: null, saga: null, tenant: null, killed: false });
    expect(letters[0]!.lastError).toMatch(/^UnreadableBatchError: unreadable message batch/);
  });
});

describe('R46 a failure of the world', () => {
  it('R46 makes no dead letter, however often somebody says “later”', async () => {
    const mailbox = newMailbox();
    let failures = 0;
    await startService(
      mailbox,
      answerEach(() => {
        if (failures++ < 25) throw new RetryableError('later', { retryAfterMs: 10 });
        return undefined;
      }),
    );
    publish(mailbox, [newCommand()]);
    await eventually(() => expect(failures).toBe(26), patiently);
    await eventually(async () => expect(await leftIn(nats, mailbox)).toEqual(nothing));
    expect(await lettersOf(mailbox)).toEqual([]);
    expect(await trialsOf(mailbox)).toEqual([]);
  });

  it('R46 makes none when the database is away all the while: the message waits for it', async () => {
    const mailbox = newMailbox();
    const { hostname, port } = new URL(stack.databaseUrl);
    const proxy = await startTcpProxy(hostname, Number(port));
    closeLater(() => proxy.close());
    const databaseUrl = stack.databaseUrl.replace(`${hostname}:${port}`, `127.0.0.1:${proxy.port}`);
    const own = await openDatabase(databaseUrl);
    const ping = { name: 'test.ping', text: 'select 1' };
    const handler = answerEach(async () => void (await own.query(ping)));
    const { calls, log } = await startServiceAt(mailbox, handler, { natsUrl: stack.natsUrl, databaseUrl });
    const first = newCommand();
    publish(mailbox, [first]);
    await eventually(() => expect(countOf(calls, first)).toBe(1));
    await proxy.cut();
    const command = newCommand();
    publish(mailbox, [command]);
    nats.publish(subjectOf(mailbox), 'garbage');
    const failed = () => log.filter(({ event }) => event === 'messaging.batch.failed');
    await eventually(() => expect(failed().at(-1)).toMatchObject({ deliveries: 6 }), patiently);
    expect(await lettersOf(mailbox)).toEqual([]);
    await proxy.restore();
    await eventually(async () => expect(await leftIn(nats, mailbox)).toEqual(nothing), patiently);
    expect(await soleLetterOf(mailbox)).toMatchObject({ readable: false });
    expect(await trialsOf(mailbox)).toEqual([]);
  });
});

describe('R46 a failure of PostgreSQL whose code tells nothing', () => {
  const odd = Object.assign(new Error('relation "stock" does not exist'), { code: '42P01' });

  it('R46 is taken for the message’s own while other messages go through', async () => {
    const mailbox = newMailbox();
    const poison = newCommand();
    await startService(mailbox, throwFor(poison, odd));
    publish(mailbox, [newCommand(), poison]);
    expect(await eventually(() => soleLetterOf(mailbox), patiently)).toMatchObject({
      messageId: poison.id,
      deliveries: 5,
    });
  }, 40_000);

  it('R46 puts nobody away while nothing goes through, and everybody is done when it is over', async () => {
    const mailbox = newMailbox();
    const commands = Array.from({ length: 20 }, () => newCommand());
    let over = false;
    const failing = answerEach(() => Promise.reject(odd));
    const { calls } = await startService(mailbox, (deliveries) => (over ? succeed : failing)(deliveries));
    publish(mailbox, commands);
    await eventually(() => expect(countOf(calls, commands[0]!)).toBeGreaterThan(5), patiently);
    over = true;
    await eventually(async () => expect(await leftIn(nats, mailbox)).toEqual(nothing), patiently);
    expect(await lettersOf(mailbox)).toEqual([]);
  }, 60_000);
});

describe('R46 a message whose process ended', () => {
  const markAsTried = {
    name: 'test.mark',
    text: `
    insert into delivery_trial (token, mailbox, message_id, leased_until)
    select gen_random_uuid(), $1, $2, now() - interval '1 second' from generate_series(1, $3)`,
  };

  /** Hands the batch out twice without an answer, as to processes that ended. */
  async function deliverInVain(mailbox: string, batch: Message[]): Promise<void> {
    const manager = await jetstreamManager(nats);
    const { stream, durable } = await ensureConsumer(manager, mailbox);
    publish(mailbox, batch);
    const consumer = await manager.jetstream().consumers.get(stream, durable);
    for (let time = 1; time <= 2; time++) (await consumer.next())!.nak();
    await nats.flush();
  }

  it('R46 twice, as by bad luck, runs alone and is answered; after the third time it is not run again', async () => {
    const [mailbox, replies] = [newMailbox(), newMailbox('reply')];
    const unlucky = Array.from({ length: 10 }, () => newCommand(replies));
    const [killer, fresh] = [newCommand(replies), newCommand(replies)];
    await deliverInVain(mailbox, [...unlucky, killer, fresh]);
    for (const { id } of unlucky) await database.query(markAsTried, [mailbox, id, 2]);
    await database.query(markAsTried, [mailbox, killer.id, 3]);
    const answered = await answersIn(replies);
    let running = 0;
    const together: number[] = [];
    const { calls, log } = await startService(
      mailbox,
      answerEach(async ({ message }) => {
        together.push(++running);
        await new Promise((resolve) => setTimeout(resolve, 5));
        running--;
        return { ...message, causationid: message.id };
      }),
    );
    await eventually(() => expect(answered).toHaveLength(11));
    expect(countOf(calls, killer)).toBe(0);
    expect(calls[0]).toEqual([{ message: fresh, suspect: true }]);
    expect(Math.max(...together)).toBe(1);
    expect(await soleLetterOf(mailbox)).toMatchObject({
      messageId: killer.id,
      killed: true,
      deliveries: 3,
      lastError: expect.stringContaining('the process ended 3 times'),
    });
    expect(log.filter(({ event }) => event === 'messaging.dead_letter')).toHaveLength(1);
    await eventually(async () => expect(await leftIn(nats, mailbox)).toEqual(nothing));
    expect(await trialsOf(mailbox)).toEqual([]);
    // Its saga sends it again: it is counted, and kept away from everybody.
    publish(mailbox, [killer, fresh]);
    await eventually(async () => expect(await soleLetterOf(mailbox)).toMatchObject({ deliveries: 4 }));
    await eventually(() => expect(countOf(calls, fresh)).toBe(2));
    expect(countOf(calls, killer)).toBe(0);
  });

  it('R46 twice has no mark any more when it has survived a trial, whatever came of that', async () => {
    const mailbox = newMailbox();
    const command = newCommand();
    await deliverInVain(mailbox, [command]);
    await database.query(markAsTried, [mailbox, command.id, 2]);
    let refuse = true;
    await startService(
      mailbox,
      answerEach(() => {
        if (refuse) throw new RetryableError('later', { retryAfterMs: 50 });
        return undefined;
      }),
    );
    await eventually(async () => expect(await trialsOf(mailbox)).toEqual([]));
    refuse = false;
    await eventually(async () => expect(await leftIn(nats, mailbox)).toEqual(nothing));
    expect(await lettersOf(mailbox)).toEqual([]);
  });

  it('R46 really, again and again, is found out and put away, and its neighbours are answered', async () => {
    const [mailbox, replies] = [newMailbox(), newMailbox('reply')];
    const good = Array.from({ length: 5 }, () => newCommand(replies));
    const killer = { ...newCommand(replies), id: `kill-${mailbox}` };
    const manager = await jetstreamManager(nats);
    const { stream, durable } = await ensureConsumer(manager, mailbox);
    const answered = await answersIn(replies);
    publish(mailbox, [...good.slice(0, 2), killer, ...good.slice(2)]);
    const folder = join(__dirname, '../testing');
    const args = ['run-typescript.cjs', 'mortal-service.ts'].map((name) => join(folder, name));
    const child = await startProcess({
      name: 'mortal',
      command: process.execPath,
      args: [...args, mailbox, stack.natsUrl, stack.databaseUrl],
      readyPattern: /ready/,
    });
    closeLater(() => child.close());
    let deaths = 0;
    // Otherwise the broker takes ten seconds to find out, and a mark eight.
    const hurry = async () => {
      await manager.consumers.update(stream, durable, { ack_wait: 500_000_000 });
      await database.query(
        { name: 'test.age', text: `update delivery_trial set leased_until = now() where mailbox = $1` },
        [mailbox],
      );
    };
    await eventually(
      async () => {
        if (!child.running) {
          deaths++;
          await hurry();
          await child.restart();
        }
        expect(await leftIn(nats, mailbox)).toEqual(nothing);
      },
      { timeoutMs: 100_000, intervalMs: 100 },
    );
    expect(await soleLetterOf(mailbox)).toMatchObject({ messageId: killer.id, killed: true });
    expect(deaths).toBe(5);
    expect(new Set(answered)).toEqual(new Set(good.map(({ id }) => id)));
    expect(await trialsOf(mailbox)).toEqual([]);
  }, 120_000);
});
