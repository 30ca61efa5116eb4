/** Batches whose messages name another sender than their subject does. */
import type { NatsConnection } from '@nats-io/transport-node';
import { eventually, useStack } from '@shop/testing';
import {
  answerEach,
  closeAll,
  deadLettersIn,
  leftIn,
  migrateMessaging,
  newCommand,
  newMailbox,
  nothing,
  openDatabase,
  openNats,
  startService,
  type TestService,
} from '../testing/test-service';
import { listDeadLetters } from './dead-letter.repository';
import { encodeBatch, replaySubjectOf, shortWayOf, subjectFrom } from './message';

const stack = useStack({ migrate: migrateMessaging });
let nats: NatsConnection;
beforeEach(async () => {
  nats = await openNats(stack.natsUrl);
});
afterEach(closeAll);

async function startTaking(mailbox: string): Promise<TestService> {
  const { natsUrl, databaseUrl } = stack;
  const service = await startService(
    mailbox,
    answerEach(() => undefined),
    { natsUrl, databaseUrl },
  );
  await eventually(() => leftIn(nats, mailbox));
  return service;
}

const idsIn = ({ calls }: TestService) => calls.flat().map(({ message }) => message.id);
const forgedIn = ({ log }: TestService) => log.filter(({ event }) => event === 'messaging.batch.forged');
/** Its source is `test`. */
const [forged, honest] = [newCommand(), newCommand()];

describe.each(['cmd', 'reply'] as const)('R64 a batch in a %s mailbox', (kind) => {
  it('R64 that another service has sent is dropped with a line in the log, and the next one comes', async () => {
    const mailbox = newMailbox(kind);
    const service = await startTaking(mailbox);
    nats.publish(subjectFrom(mailbox, 'other'), encodeBatch([honest, forged]));
    nats.publish(subjectFrom(mailbox, 'test'), encodeBatch([honest]));
    await eventually(() => expect(idsIn(service)).toContain(honest.id));
    await eventually(async () => expect(await leftIn(nats, mailbox)).toEqual(nothing));
    expect(idsIn(service)).toEqual([honest.id]);
    expect(forgedIn(service)).toMatchObject([{ mailbox, subject: subjectFrom(mailbox, 'other') }]);
    // An operator could replay it there, and then it would count as true.
    const letters = deadLettersIn(await openDatabase(stack.databaseUrl));
    const stored = await listDeadLetters(letters, { reach: { tenant: 'acme', unowned: true }, limit: 1_000 });
    expect(stored.filter((letter) => letter.mailbox === mailbox)).toEqual([]);
  });

  it('R64 that the owner of the mailbox hands itself is taken, whoever has sent it first', async () => {
    const mailbox = newMailbox(kind);
    const service = await startTaking(mailbox);
    nats.publish(subjectFrom(mailbox, mailbox.split('.')[1]!), encodeBatch([forged]));
    nats.publish(replaySubjectOf(mailbox), encodeBatch([honest]));
    await eventually(() => expect(idsIn(service).sort()).toEqual([forged.id, honest.id].sort()));
    expect(forgedIn(service)).toEqual([]);
  });
});

describe('R64 a reply the short way', () => {
  it('R64 that hides behind an event that cannot be read does not come by the mailbox instead', async () => {
    const mailbox = newMailbox('reply');
    const service = await startTaking(mailbox);
    const subject = shortWayOf(mailbox, service.publisher.replica, 'other');
    nats.publish(subject, JSON.stringify([{ odd: true }, forged]));
    await eventually(() => expect(forgedIn(service)).toMatchObject([{ mailbox, subject }]));
    nats.publish(subjectFrom(mailbox, 'test'), encodeBatch([honest]));
    await eventually(() => expect(idsIn(service)).toContain(honest.id));
    expect(idsIn(service)).toEqual([honest.id]);
  });

  it('R64 that another service has sent is dropped with a line in the log, and the next one comes', async () => {
    const mailbox = newMailbox('reply');
    const service = await startTaking(mailbox);
    const subject = shortWayOf(mailbox, service.publisher.replica, 'other');
    nats.publish(subject, encodeBatch([honest, forged]));
    nats.publish(shortWayOf(mailbox, service.publisher.replica, 'test'), encodeBatch([honest]));
    await eventually(() => expect(idsIn(service)).toContain(honest.id));
    expect(idsIn(service)).toEqual([honest.id]);
    expect(forgedIn(service)).toMatchObject([{ mailbox, subject }]);
    expect(await leftIn(nats, mailbox)).toEqual(nothing);
  });
});
