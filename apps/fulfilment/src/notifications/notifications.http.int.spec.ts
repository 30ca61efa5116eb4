/** Notifications in the whole service, with an order service that has profiles, and a real mail server; and their routes. */
import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { callersOf, expectProblem, metricsNow, TestClient } from '@shop/http/testing';
import { Database } from '@shop/postgres';
import { openService } from '@shop/service/testing';
import { eventually, useStack } from '@shop/testing';
import { TestMailServer } from '../../testing/mail-server';
import { fulfilmentService } from '../app';
import { type NewNotification, notificationIdOf, type NotificationStatus } from './notification';
import { queueNotifications } from './queue';

const stack = useStack();
const { API_KEYS, callers } = callersOf({ olga: 'acme/olga:operator', rival: 'rival/rita:operator' });
let client: TestClient;
let mailServer: TestMailServer;
let order: Server;
let asked: Pick<IncomingMessage, 'url' | 'headers'>[] = [];

beforeAll(async () => {
  mailServer = new TestMailServer();
  await mailServer.start();
  order = createServer(({ url, headers }, answer) => {
    asked.push({ url, headers });
    const id = decodeURIComponent(url!.split('/').at(-1)!);
    const known = id !== 'nobody';
    const profile = { id, displayName: 'Zoë', email: 'zoe@example.com', locale: 'de', phone: '+4930123456' };
    answer.writeHead(known ? 200 : 404, { 'content-type': 'application/json' });
    answer.end(JSON.stringify(known ? profile : { code: 'profile_not_found' }));
  });
  await new Promise<void>((resolve) => order.listen(0, '127.0.0.1', resolve));
  const env = {
    API_KEYS,
    SMTP_URL: mailServer.url,
    MAIL_FROM: 'Testladen <laden@laden.example>',
    ORDER_URL: `http://127.0.0.1:${(order.address() as AddressInfo).port}`,
    NEIGHBOUR_KEY: 'a-key-of-the-neighbours',
  };
  client = new TestClient(await openService(fulfilmentService, stack, env, { takesMessages: false }), callers.olga);
});
afterAll(async () => {
  await client.close();
  await mailServer.stop();
  order.close();
});
beforeEach(() => {
  asked = [];
  mailServer.answers = ['taken'];
});

interface Json {
  id: string;
  status: NotificationStatus;
}
const get = (path: string, key?: string) => client.call('GET', path, { key });
const retry = (id: string, more: { key?: string; idempotencyKey?: string } = {}) =>
  client.call('POST', `/notifications/${id}/retry`, {
    key: more.key,
    headers: { 'idempotency-key': more.idempotencyKey ?? randomUUID() },
  });

async function queued(more: Partial<NewNotification> = {}): Promise<{ id: string; orderId: string }> {
  const orderId = randomUUID();
  const cause = orderId;
  const data = { amount: 4_200, currency: 'EUR' };
  const one: NewNotification = {
    tenant: 'acme',
    customerId: 'zoe 1',
    template: 'order-confirmed',
    cause,
    orderId,
    data,
  };
  const notification = { ...one, ...more };
  await client.app.get(Database).transaction(async (tx) => queueNotifications(tx, [notification]));
  return { id: notificationIdOf(notification), orderId };
}
const becomes = (id: string, expected: object) =>
  eventually(async () => expect((await get(`/notifications/${id}`)).json()).toMatchObject(expected));

it('R40 is sent to the address of the profile, in its language, and shown without the address', async () => {
  const { id, orderId } = await queued();
  await becomes(id, { status: 'sent' });
  const answer = await get(`/notifications/${id}`);
  expect(answer.json()).toEqual({
    id,
    customerId: 'zoe 1',
    template: 'order-confirmed',
    cause: orderId,
    orderId,
    status: 'sent',
    reason: null,
    attempts: 1,
    nextAttemptAt: expect.any(String),
    createdAt: expect.stringMatching(/Z$/),
    sentAt: expect.stringMatching(/Z$/),
  });
  expect(answer.body).not.toContain('example.com');
  const [mail] = mailServer.mails.filter(({ messageId }) => messageId === `<${id}@laden.example>`);
  expect(mail!.to).toEqual(['zoe@example.com']);
  expect(mail!.text).toMatch(/^From: Testladen <laden@laden.example>\r$/m);
  expect(mail!.text).toMatch(/^Content-Language: de\r$/m);
  expect(asked).toMatchObject([{ url: '/profiles/zoe%201', headers: { 'shop-tenant': 'acme' } }]);
});

it('R26 is not sent to a customer without a profile', async () => {
  const { id } = await queued({ customerId: 'nobody' });
  await becomes(id, { status: 'suppressed', reason: 'no_address' });
});

it('is listed by status and by order, for its tenant only', async () => {
  mailServer.answers = [550];
  const [one, other] = [await queued(), await queued()];
  for (const { id } of [one, other]) await becomes(id, { status: 'parked', reason: 'smtp_550' });
  const ids = async (query: string, key?: string) =>
    (await get(`/notifications?${query}`, key)).json<{ items: Json[] }>().items.map(({ id }) => id);
  expect(await ids(`orderId=${one.orderId}`)).toEqual([one.id]);
  expect(await ids('status=parked')).toEqual([one.id, other.id].toSorted());
  expect(await ids(`orderId=${one.orderId}`, callers.rival)).toEqual([]);
  const all = (await ids('limit=200')).length;
  const { items, next } = (await get('/notifications?limit=1')).json<{ items: Json[]; next: string }>();
  expect((await ids(`limit=200&cursor=${next}`)).length).toBe(all - items.length);
  expectProblem(await get('/notifications?status=lost'), 400, 'validation_failed');
  expectProblem(await get(`/notifications/${one.id}`, callers.rival), 404, 'notification_not_found');
});

it('R40 is sent when an operator says so of one that is parked, once for a key', async () => {
  mailServer.answers = [550, 'taken'];
  const { id } = await queued();
  await becomes(id, { status: 'parked' });
  expectProblem(await retry(id, { key: callers.rival }), 404, 'notification_not_found');
  const idempotencyKey = randomUUID();
  const first = await retry(id, { idempotencyKey });
  expect([first.statusCode, first.json()]).toMatchObject([
    200,
    { id, status: 'queued', reason: null, attempts: 0, sentAt: null },
  ]);
  await becomes(id, { status: 'sent', attempts: 1 });
  const again = await retry(id, { idempotencyKey });
  expect([again.statusCode, again.body, again.headers['idempotent-replayed']]).toEqual([200, first.body, 'true']);
  expectProblem(await retry(id), 409, 'notification_not_parked', { was: 'sent' });
  expectProblem(await retry('ntf_0'), 404, 'notification_not_found');
});

it('R40 is counted by what came of it', async () => {
  const sent = async () => {
    const line = /^notification_attempts_total\{template="order-confirmed",outcome="sent"\} (\d+)$/m;
    return Number(line.exec(await metricsNow())?.[1] ?? 0);
  };
  const before = await sent();
  await becomes((await queued()).id, { status: 'sent' });
  await eventually(async () => expect(await sent()).toBe(before + 1));
});
