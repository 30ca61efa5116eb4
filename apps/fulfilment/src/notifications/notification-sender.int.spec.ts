/** Notifications from the queue to a real mail server, on a real database, with several senders as replicas have them. */
import { randomUUID } from 'node:crypto';
import { createLogger } from '@shop/observability';
import { createDatabase, type Database } from '@shop/postgres';
import { applyMigrations } from '@shop/postgres/testing';
import { RetryableError } from '@shop/resilience';
import { eventually, startTcpProxy, useStack } from '@shop/testing';
import { TestMailServer } from '../../testing/mail-server';
import { fulfilmentMigrations } from '../migrations';
import { eraseNotifications } from './erase-notifications';
import { Mailer } from './mailer';
import { type NewNotification, notificationIdOf } from './notification';
import { NotificationSender, type SenderOptions } from './notification-sender';
import { finishSending, takeDue } from './notifications.repository';
import { queueNotifications } from './queue';
import type { Recipient } from './recipients';

const stack = useStack({ migrate: (url) => applyMigrations(url, fulfilmentMigrations) });
const logger = createLogger({ service: 'fulfilment', level: 'silent', format: 'json' });
let database: Database;
let server: TestMailServer;
let closers: (() => unknown)[] = [];

beforeAll(async () => {
  database = createDatabase({ url: stack.databaseUrl, applicationName: 'test' });
  await database.connect();
});
afterAll(() => database.close());
beforeEach(async () => {
  await ask('delete from notification');
  server = new TestMailServer();
  await server.start();
});
afterEach(async () => {
  await Promise.all(closers.map((close) => close()));
  closers = [];
  await server.stop();
});

const ask = <Row>(text: string, values: unknown[] = []): Promise<Row[]> =>
  database.dataSource.query<Row[]>(text, values);

const profileOf = (customerId: string): Recipient => ({
  email: `${customerId}@example.com`,
  displayName: customerId,
  locale: 'en',
});

/** A mail that a busy machine keeps waiting for longer than its time may be sent twice, which is right and not meant here. */
const PATIENCE_MS = 50_000;

/** As a replica has it; started. */
function startSender(options: Partial<SenderOptions> = {}, url = server.url): NotificationSender {
  const mailer = new Mailer({ url, from: 'Shop <shop@shop.example>', timeoutMs: PATIENCE_MS });
  const sender = new NotificationSender({
    database,
    mailer,
    recipients: { find: async (_, customerId) => profileOf(customerId) },
    mode: 'at-least-once',
    perSecond: 10_000,
    intervalMs: 20,
    logger,
    ...options,
  });
  sender.start();
  closers.push(async () => {
    await sender.stop();
    mailer.close();
  });
  return sender;
}

function confirmed(more: Partial<NewNotification> = {}): NewNotification {
  const orderId = randomUUID();
  return {
    tenant: 'acme',
    customerId: 'alice',
    template: 'order-confirmed',
    cause: orderId,
    orderId,
    data: { amount: 4_200, currency: 'EUR' },
    ...more,
  };
}
const queue = (...all: NewNotification[]) => database.transaction(async (tx) => queueNotifications(tx, all));

interface Row {
  status: string;
  reason: string | null;
  attempts: number;
}
async function rowOf(notification: NewNotification): Promise<Row> {
  const id = notificationIdOf(notification);
  const [row] = await ask<Row>('select status, reason, attempts from notification where id = $1', [id]);
  return row!;
}
const becomes = (notification: NewNotification, expected: Partial<Row>) =>
  eventually(async () => expect(await rowOf(notification)).toMatchObject(expected));
/** As if its time had come. */
const age = () => ask(`update notification set next_attempt_at = now() - interval '1 second'`);
const namesSent = () => server.mails.map(({ messageId }) => messageId);

describe('R40 a notification', () => {
  it('R40 is one mail, however often it is queued: ten thousand times, before and after it is sent', async () => {
    const notification = confirmed();
    const many = Array<NewNotification>(1_000).fill(notification);
    await Promise.all(Array.from({ length: 5 }, () => queue(...many)));
    startSender();
    startSender();
    await Promise.all(Array.from({ length: 5 }, () => queue(...many)));
    await becomes(notification, { status: 'sent', reason: null, attempts: 1 });
    await queue(notification);
    const marker = confirmed();
    await queue(marker);
    await becomes(marker, { status: 'sent' });
    expect(server.mails).toHaveLength(2);
    expect(server.mails[0]).toMatchObject({
      to: ['alice@example.com'],
      messageId: `<${notificationIdOf(notification)}@shop.example>`,
    });
    expect(await ask('select 1 from notification')).toHaveLength(2);
  });

  it('R40 is another mail for another template, cause or tenant', async () => {
    const one = confirmed();
    const others = [
      { ...one, template: 'order-cancelled' as const },
      { ...one, cause: 'other' },
      { ...one, tenant: 'rival' },
    ];
    await queue(one, ...others);
    startSender();
    await eventually(() => expect(new Set(namesSent()).size).toBe(4));
  });

  it('R40 is sent once when several senders work on many', async () => {
    const all = Array.from({ length: 150 }, () => confirmed());
    await queue(...all);
    for (let n = 0; n < 3; n++) startSender();
    const done = async () =>
      expect(await ask(`select 1 from notification where status = 'sent'`)).toHaveLength(all.length);
    await eventually(done, { timeoutMs: 40_000 });
    expect(namesSent().toSorted()).toEqual(all.map((each) => `<${notificationIdOf(each)}@shop.example>`).toSorted());
  });

  it('R40 is not sent when it is suppressed, or when the customer has no profile', async () => {
    const [old, stranger, known] = [confirmed({ suppressed: true }), confirmed({ customerId: 'nobody' }), confirmed()];
    await queue(old, stranger, known);
    // The first word on it stays.
    await queue({ ...old, suppressed: false });
    const find = async (_: string, id: string) => (id === 'nobody' ? undefined : profileOf(id));
    startSender({ recipients: { find } });
    await becomes(known, { status: 'sent' });
    await becomes(stranger, { status: 'suppressed', reason: 'no_address', attempts: 0 });
    await becomes(old, { status: 'suppressed', reason: 'before_fulfilment', attempts: 0 });
    expect(server.mails).toHaveLength(1);
  });

  it('R40 waits without an attempt while nobody knows the address, or no mail server answers', async () => {
    let isAway = true;
    const find = async (_: string, id: string) => {
      if (isAway) throw new RetryableError('order is away');
      return profileOf(id);
    };
    const proxy = await startTcpProxy('127.0.0.1', server.port);
    closers.push(() => proxy.close());
    await proxy.cut();
    const notification = confirmed();
    await queue(notification);
    startSender({ recipients: { find } }, `smtp://127.0.0.1:${proxy.port}`);
    await becomes(notification, { status: 'queued', reason: 'order_away', attempts: 0 });
    isAway = false;
    await age();
    await becomes(notification, { status: 'queued', reason: 'smtp_away', attempts: 0 });
    await proxy.restore();
    await age();
    await becomes(notification, { status: 'sent', reason: null, attempts: 1 });
  });

  it('R40 is tried again after 4xx, and is parked after 5xx', async () => {
    const [busy, refused] = [confirmed(), confirmed()];
    server.answers = [451, 421, 'taken'];
    await queue(busy);
    startSender();
    for (const [attempts, reason] of [
      [1, 'smtp_451'],
      [2, 'smtp_421'],
    ] as const) {
      await becomes(busy, { status: 'queued', reason, attempts });
      await age();
    }
    await becomes(busy, { status: 'sent', attempts: 3 });
    server.answers = [550];
    await queue(refused);
    await becomes(refused, { status: 'parked', reason: 'smtp_550', attempts: 1 });
    expect(server.mails).toHaveLength(1);
  });

  it('R40 is parked with its last reason when it was tried as often as it may', async () => {
    const notification = confirmed();
    await queue(notification);
    await ask('update notification set attempts = 99');
    server.answers = [451];
    startSender();
    await becomes(notification, { status: 'parked', reason: 'smtp_451', attempts: 100 });
  });
});

describe('R40 a mail that the server took, and whose answer was lost,', () => {
  it('R40 is sent again under the same name with at-least-once', async () => {
    const notification = confirmed();
    server.answers = ['lost', 'taken'];
    await queue(notification);
    startSender();
    await becomes(notification, { status: 'queued', reason: 'connection_lost', attempts: 1 });
    await age();
    await becomes(notification, { status: 'sent', attempts: 2 });
    expect(namesSent()).toEqual(Array(2).fill(`<${notificationIdOf(notification)}@shop.example>`));
  });

  it('R40 is parked with at-most-once, and not sent again', async () => {
    const [notification, marker] = [confirmed(), confirmed()];
    server.answers = ['lost', 'taken'];
    await queue(notification);
    startSender({ mode: 'at-most-once' });
    await becomes(notification, { status: 'parked', reason: 'outcome_unknown', attempts: 1 });
    await age();
    await queue(marker);
    await becomes(marker, { status: 'sent' });
    expect(server.mails).toHaveLength(2);
  });

  it('R40 is known to be not sent when the connection is lost before, with at-most-once too', async () => {
    const notification = confirmed();
    server.answers = ['dropped', 'taken'];
    await queue(notification);
    startSender({ mode: 'at-most-once' });
    await becomes(notification, { status: 'queued', reason: 'smtp_away', attempts: 0 });
    await age();
    await becomes(notification, { status: 'sent', attempts: 1 });
    expect(server.mails).toHaveLength(1);
  });
});

describe('R40 after a crash, one that was being sent', () => {
  const crashed = async (notification: NewNotification, status: 'queued' | 'sending') => {
    await queue(notification);
    await ask('update notification set status = $1, lease_token = gen_random_uuid()', [status]);
    await age();
  };

  it.each(['queued', 'sending'] as const)('R40 is sent with at-least-once (it said %s)', async (status) => {
    const notification = confirmed();
    await crashed(notification, status);
    startSender();
    await becomes(notification, { status: 'sent' });
  });

  it('R40 is parked with at-most-once when it may have gone out, and sent when not', async () => {
    const [gone, waiting] = [confirmed(), confirmed()];
    await crashed(gone, 'sending');
    await queue(waiting);
    startSender({ mode: 'at-most-once' });
    await becomes(waiting, { status: 'sent' });
    await becomes(gone, { status: 'parked', reason: 'outcome_unknown', attempts: 1 });
    expect(server.mails).toHaveLength(1);
  });

  it('R40 says with at-most-once that it may go out before it does', async () => {
    let open = (): void => undefined;
    server.gate = new Promise<void>((resolve) => (open = resolve));
    const notification = confirmed();
    await queue(notification);
    startSender({ mode: 'at-most-once' });
    await eventually(() => expect(server.atOnce).toBe(1));
    expect(await rowOf(notification)).toMatchObject({ status: 'sending' });
    open();
    await becomes(notification, { status: 'sent' });
  });

  it('R40 is finished by nobody who has lost the lease', async () => {
    const notification = confirmed();
    await queue(notification);
    const take = () => takeDue(database, { limit: 1, leaseSeconds: 60, mode: 'at-least-once' });
    const [first] = await take();
    expect(await take()).toEqual([]);
    await age();
    const [second] = await take();
    const sent = { status: 'sent', reason: null, counts: true, delayMs: 0 } as const;
    expect(await finishSending(database, first!, sent)).toBe(false);
    expect(await finishSending(database, second!, sent)).toBe(true);
    await becomes(notification, { status: 'sent', attempts: 1 });
  });
});

it('one that has begun goes back when its sender stops, and waits for nobody', async () => {
  const notification = confirmed();
  await queue(notification);
  let found = (): void => undefined;
  const asked = new Promise<void>((resolve) => (found = resolve));
  let answer: (recipient: Recipient) => void = () => undefined;
  const find = () => {
    found();
    return new Promise<Recipient>((resolve) => (answer = resolve));
  };
  const sender = startSender({ recipients: { find } });
  await asked;
  const stopped = sender.stop();
  answer(profileOf('alice'));
  await stopped;
  expect(await rowOf(notification)).toEqual({ status: 'queued', reason: 'stopped', attempts: 0 });
  startSender();
  await becomes(notification, { status: 'sent' });
});

it('a sender has no more in work than it may send in a second', async () => {
  let open = (): void => undefined;
  server.gate = new Promise<void>((resolve) => (open = resolve));
  const queued = Array.from({ length: 5 }, () => confirmed());
  await queue(...queued);
  startSender({ perSecond: 2 });
  await eventually(() => expect(server.atOnce).toBe(2));
  const taken = 'select 1 from notification where lease_token is not null and cause = any($1)';
  expect(await ask(taken, [queued.map(({ cause }) => cause)])).toHaveLength(2);
  open();
});

it('R40 no more are taken than were asked for when PostgreSQL takes the table for one of a single row', async () => {
  await queue(confirmed());
  await ask('vacuum analyze notification');
  await ask('delete from notification');
  await queue(...Array.from({ length: 5 }, () => confirmed()));
  expect(await takeDue(database, { limit: 2, leaseSeconds: 60, mode: 'at-least-once' })).toHaveLength(2);
});

describe('R26 an erasure', () => {
  const rows = () =>
    ask(`select customer_id, status, data from notification where tenant = 'acme' order by status, customer_id`);

  it('R26 takes the customer and the contents, stops what was to be sent, and keeps repeats from sending', async () => {
    const sent = confirmed();
    await queue(sent);
    const sender = startSender();
    await becomes(sent, { status: 'sent' });
    await sender.stop();
    const [waiting, other] = [confirmed(), confirmed({ customerId: 'bob' })];
    await queue(waiting, other);
    const erased = await eraseNotifications(database, { tenant: 'acme', customerId: 'alice' });
    expect(erased).toEqual([{ table: 'notification', what: 'customers and contents of mails', rows: 2 }]);
    await queue(sent, waiting);
    expect(await rows()).toEqual([
      { customer_id: 'bob', status: 'queued', data: other.data },
      { customer_id: 'erased', status: 'sent', data: {} },
      { customer_id: 'erased', status: 'suppressed', data: {} },
    ]);
    expect((await eraseNotifications(database, { tenant: 'acme', customerId: 'alice' }))[0]!.rows).toBe(0);
  });

  it('R26 of a tenant takes all of it, and nothing of another one, more than one step has', async () => {
    await queue(...Array.from({ length: 1_100 }, (_, n) => confirmed({ customerId: `c${n}` })));
    await queue(confirmed({ tenant: 'rival' }));
    expect((await eraseNotifications(database, { tenant: 'acme' }))[0]!.rows).toBe(1_100);
    const left = `select tenant from notification where customer_id <> 'erased'`;
    expect(await ask(left)).toEqual([{ tenant: 'rival' }]);
  });
});
