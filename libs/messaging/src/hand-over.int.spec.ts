import { eventually, startTcpProxy, useStack } from '@shop/testing';
import { jetstreamManager } from '@nats-io/jetstream';
import { RetryableError, TerminalError } from '@shop/resilience';
import {
  closeAll,
  closeLater,
  listen,
  migrateMessaging,
  newCommand,
  newMailbox,
  openBroker,
  openDatabase,
  openNats,
  silent,
} from '../testing/test-service';
import type { Broker } from './broker';
import { letterOf } from './dead-letter';
import { actOnDeadLetters, putDeadLetter } from './dead-letter.repository';
import { handOverReplayed } from './hand-over';
import { replaySubjectOf } from './message';
import { Publisher } from './publisher';
import { ensureStream } from './topology';

const stack = useStack({ migrate: migrateMessaging });
afterEach(closeAll);

const mailbox = newMailbox();
const publisherOn = (broker: Broker): Publisher => new Publisher(broker, silent);

it('R46 a letter is handed over while it is replayed, and not when it was discarded or erased since', async () => {
  const database = await openDatabase(stack.databaseUrl);
  const nats = await openNats(stack.natsUrl);
  const publisher = publisherOn(await openBroker(stack.natsUrl));
  await ensureStream(await jetstreamManager(nats), mailbox);
  const heard = await listen(nats, replaySubjectOf(mailbox));
  const message = newCommand();
  const letter = letterOf(message, new Error('out of luck'), false, {
    mailbox,
    deliveries: 3,
    firstSeenAt: new Date(),
  });
  const id = await database.transaction((tx) => putDeadLetter(tx, letter));
  const act = (act: 'replayed' | 'discarded') =>
    database.transaction(async (tx) => actOnDeadLetters(tx, [id], { act, by: 'acme/olga', reason: 'mended' }));
  await handOverReplayed(database, publisher, id);
  expect(heard).toEqual([]);
  await act('replayed');
  await handOverReplayed(database, publisher, id);
  expect(heard.map(({ text }) => JSON.parse(text) as object)).toMatchObject([[{ id: message.id }]]);
  await act('discarded');
  await handOverReplayed(database, publisher, id);
  await handOverReplayed(database, publisher, '00000000-0000-4000-8000-000000000000');
  expect(heard).toHaveLength(1);
});

it('R46 a message that is larger than the broker allows is given up, and any other waits while it is away', async () => {
  const { hostname, port } = new URL(stack.natsUrl);
  const proxy = await startTcpProxy(hostname, Number(port));
  closeLater(() => proxy.close());
  const broker = await openBroker(`nats://127.0.0.1:${proxy.port}`);
  const publisher = publisherOn(broker);
  const tooLarge = Buffer.alloc(broker.nats.info!.max_payload + 1);
  await expect(publisher.replay(mailbox, tooLarge)).rejects.toBeInstanceOf(TerminalError);
  await proxy.cut();
  await eventually(() => expect(broker.isConnected).toBe(false));
  await expect(publisher.replay(mailbox, Buffer.from('[]'))).rejects.toBeInstanceOf(RetryableError);
  await proxy.restore();
});
