/** What the mailer says of a mail, with a real mail server in each of its moods. */
import { freePort } from '@shop/stack';
import { eventually } from '@shop/testing';
import { TestMailServer } from '../../testing/mail-server';
import { CONNECTIONS, deliveryOf, type Letter, Mailer } from './mailer';

let server: TestMailServer;
let mailer: Mailer;

beforeEach(async () => {
  server = new TestMailServer();
  await server.start();
  mailer = new Mailer({ url: server.url, from: 'Shop <shop@shop.example>', timeoutMs: 10_000 });
});
afterEach(async () => {
  mailer.close();
  await server.stop();
});

let count = 0;
const letter = (more: Partial<Letter> = {}): Letter => ({
  to: { name: 'Zoë "Z" <evil@example.com>\r\nBcc: eve@example.com', address: 'zoe@example.com' },
  subject: 'Grüße',
  text: 'Hallo',
  html: '<p>Hallo</p>',
  language: 'de',
  messageId: `<ntf_${(count += 1)}@shop.example>`,
  tenant: 'acme',
  ...more,
});

it('sends a mail to one address, under its name, and says that a program wrote it', async () => {
  const sent = letter();
  expect(await mailer.send(sent)).toEqual({ outcome: 'sent' });
  const [mail] = server.mails;
  expect(mail).toMatchObject({ to: ['zoe@example.com'], messageId: sent.messageId });
  expect(mail!.text).toMatch(/^Auto-Submitted: auto-generated\r$/m);
  expect(mail!.text).toMatch(/^Content-Language: de\r$/m);
  expect(mail!.text).not.toMatch(/^Bcc/im);
  expect(mailer.domain).toBe('shop.example');
});

it('uses a connection again', async () => {
  for (let n = 0; n < 5; n++) await mailer.send(letter());
  expect([server.mails.length, server.connections]).toEqual([5, 1]);
});

it.each([
  [451, { outcome: 'again', reason: 'smtp_451' }],
  [421, { outcome: 'again', reason: 'smtp_421' }],
  [550, { outcome: 'refused', reason: 'smtp_550' }],
])('says what the server answered: %d', async (code, delivery) => {
  server.answers = [code, 'taken'];
  expect(await mailer.send(letter())).toEqual(delivery);
  expect(await mailer.send(letter())).toEqual({ outcome: 'sent' });
});

it('does not know whether the server has a mail when the connection is lost behind its text', async () => {
  server.answers = ['lost', 'taken'];
  expect(await mailer.send(letter())).toEqual({ outcome: 'unknown', reason: 'connection_lost' });
  expect(server.mails).toHaveLength(1);
  expect(await mailer.send(letter())).toEqual({ outcome: 'sent' });
});

it('does not know it either when no answer comes in time', async () => {
  server.gate = new Promise(() => undefined);
  mailer.close();
  mailer = new Mailer({ url: server.url, from: 'shop@shop.example', timeoutMs: 300 });
  expect(await mailer.send(letter())).toEqual({ outcome: 'unknown', reason: 'connection_lost' });
});

it('knows that the server has no mail when the connection is lost before its text', async () => {
  server.answers = ['dropped', 'taken'];
  expect(await mailer.send(letter())).toMatchObject({ outcome: 'away', reason: 'smtp_away' });
  expect(await mailer.send(letter())).toEqual({ outcome: 'sent' });
  expect(server.mails).toHaveLength(1);
});

it('sends over another connection when the one that it had is closed', async () => {
  await mailer.send(letter());
  server.dropAll();
  expect(await mailer.send(letter())).toEqual({ outcome: 'sent' });
  expect(server.connections).toBe(2);
});

it('knows that a server which cannot be reached has no mail', async () => {
  mailer.close();
  mailer = new Mailer({ url: `smtp://127.0.0.1:${await freePort()}`, from: 'shop@shop.example' });
  expect(await mailer.send(letter())).toMatchObject({ outcome: 'away', reason: 'smtp_away' });
});

it('spares a server that is away, and says for how long', async () => {
  server.answers = ['dropped'];
  const deliveries = [];
  for (let n = 0; n < 12; n++) deliveries.push(await mailer.send(letter()));
  expect(deliveries.at(-1)).toEqual({ outcome: 'away', reason: 'smtp_away', retryAfterMs: expect.any(Number) });
  expect(server.connections).toBeLessThan(12);
});

it('asks nobody to send to what is no address', async () => {
  const to = { name: 'Zoë', address: 'zoe@exa mple\r\nRCPT TO:<eve@example.com>' };
  expect(await mailer.send(letter({ to }))).toMatchObject({ outcome: 'refused' });
  expect(server.mails).toEqual([]);
});

it('makes no more connections than it may', async () => {
  let open = (): void => undefined;
  server.gate = new Promise<void>((resolve) => (open = resolve));
  const sent = Array.from({ length: 20 }, () => mailer.send(letter()));
  await eventually(() => expect(server.atOnce).toBe(CONNECTIONS));
  open();
  expect(new Set((await Promise.all(sent)).map(({ outcome }) => outcome))).toEqual(new Set(['sent']));
  expect(server.atOnce).toBe(CONNECTIONS);
});

it.each([
  ['a wrong password', { code: 'EAUTH', responseCode: 535 }, 'away'],
  ['a server that takes mail from nobody', { code: 'EPROTOCOL', responseCode: 554 }, 'away'],
  ['a host that is not found', { code: 'EDNS' }, 'away'],
  ['no TLS', { code: 'ETLS' }, 'away'],
  ['a sender that is refused', { code: 'EENVELOPE', responseCode: 553 }, 'refused'],
  ['an address that the server does not speak', { code: 'EENVELOPE' }, 'refused'],
])('%s is not taken for an answer about another thing: %j is %s', (_, failure, outcome) => {
  expect(deliveryOf(Object.assign(new Error(), failure), false).outcome).toBe(outcome);
});
