/** The mail server on a real socket, with a real client, and what the routes tell of it. */
import { connect } from 'node:net';
import { createTransport, type Transporter } from 'nodemailer';
import { startProvider, type TestProvider } from '../../testing';

let sandbox: TestProvider;
let client: Transporter;

beforeAll(async () => {
  sandbox = await startProvider({ smtp: { port: 0, host: '127.0.0.1' } });
  const { port } = await sandbox.admin<{ port: number }>('GET', 'mail-server');
  client = createTransport({ host: '127.0.0.1', port });
});
afterAll(() => sandbox.close());
beforeEach(async () => {
  await sandbox.admin('DELETE', 'mails');
  await sandbox.admin('DELETE', 'mail-faults');
});

interface Mails {
  mails: { id: string; messageId: string | null; to: string[]; subject: string; text: string; receivedCount: number }[];
  duplicates: number;
}
const mails = (query = '') => sandbox.admin<Mails>('GET', `mails${query}`);
const letter = { from: 'Shop <shop@shop.example>', to: 'Zoë <zoe@example.com>', subject: 'Grüße', text: 'Hallo Zoë' };
const send = (more: object = {}): Promise<unknown> => client.sendMail({ ...letter, ...more });
const codeOf = (sent: Promise<unknown>): Promise<unknown> =>
  sent.then(
    () => 250,
    ({ responseCode, code }: { responseCode?: number; code: string }) => responseCode ?? code,
  );

it('keeps a mail, and tells what is in it', async () => {
  await send({ messageId: '<one@shop.example>', html: '<p>Hallo</p>' });
  const { mails: kept } = await mails();
  expect(kept).toEqual([
    {
      id: expect.stringMatching(/^mail_\d+$/),
      messageId: '<one@shop.example>',
      from: 'shop@shop.example',
      to: ['zoe@example.com'],
      subject: 'Grüße',
      text: expect.stringContaining('Hallo Zoë'),
      writtenAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
      receivedCount: 1,
    },
  ]);
});

it('keeps a mail once that comes again under its name, and counts it', async () => {
  for (let n = 0; n < 3; n++) await send({ messageId: '<again@shop.example>' });
  await send({ messageId: '<other@shop.example>' });
  const { mails: kept, duplicates } = await mails();
  expect(kept.map(({ receivedCount }) => receivedCount)).toEqual([3, 1]);
  expect(duplicates).toBe(2);
});

it('finds the mails to one address', async () => {
  await send({ messageId: '<a@x>' });
  await send({ messageId: '<b@x>', to: ['Bob@example.com', 'carl@example.com'] });
  const found = async (to: string) => (await mails(`?to=${to}`)).mails.map(({ messageId }) => messageId);
  expect([await found('bob@example.com'), await found('nobody@example.com')]).toEqual([['<b@x>'], []]);
});

describe('on request', () => {
  it.each([
    ['temporaryRate', 451],
    ['permanentRate', 550],
  ])('refuses mails with the code of %s, and keeps none', async (rate, code) => {
    await sandbox.admin('PUT', 'mail-faults', { [rate]: 1 });
    expect(await codeOf(send())).toBe(code);
    expect((await mails()).mails).toEqual([]);
    await sandbox.admin('DELETE', 'mail-faults');
    expect(await codeOf(send())).toBe(250);
  });

  it('keeps a mail and loses its answer', async () => {
    await sandbox.admin('PUT', 'mail-faults', { lostAnswerRate: 1 });
    expect(await codeOf(send({ messageId: '<lost@x>' }))).toBe('ECONNECTION');
    expect((await mails()).mails).toMatchObject([{ messageId: '<lost@x>', receivedCount: 1 }]);
  });

  it('does the same again for the same seed, in the shares that were asked for', async () => {
    const faults = { temporaryRate: 0.3, permanentRate: 0.3, seed: 5 };
    const run = async () => {
      await sandbox.admin('PUT', 'mail-faults', faults);
      const codes: unknown[] = [];
      for (let n = 0; n < 30; n++) codes.push(await codeOf(send()));
      return codes;
    };
    const first = await run();
    expect(await run()).toEqual(first);
    expect(new Set(first)).toEqual(new Set([250, 451, 550]));
  });

  it('answers late', async () => {
    await sandbox.admin('PUT', 'mail-faults', { delayMs: 100 });
    const begun = performance.now();
    await send();
    expect(performance.now() - begun).toBeGreaterThan(95);
  });

  it('refuses rates that are more than all mails', async () => {
    const wrong = { temporaryRate: 0.7, permanentRate: 0.7 };
    expect(await sandbox.admin('PUT', 'mail-faults', wrong)).toMatchObject({ code: 'validation_failed' });
  });
});

it('stops although a client keeps its connection', async () => {
  const other = await startProvider({ smtp: { port: 0, host: '127.0.0.1' } });
  const { port } = await other.admin<{ port: number }>('GET', 'mail-server');
  const socket = connect(port, '127.0.0.1');
  await new Promise((resolve) => socket.once('data', resolve));
  const ended = new Promise((resolve) => socket.once('close', resolve));
  await other.close();
  await ended;
});

it('has no mail server without a port', async () => {
  const other = await startProvider();
  expect(await other.admin('GET', 'mail-server')).toMatchObject({ code: 'mail_server_off' });
  await other.close();
});

describe('the page of mails', () => {
  const get = async (path: string) => {
    const answer = await fetch(sandbox.url + path);
    const html = await answer.text();
    return { status: answer.status, html, policy: answer.headers.get('content-security-policy')! };
  };

  it('lists them, newest first, and shows one with its text and its HTML in a frame', async () => {
    expect((await get('/mail')).html).toContain('No mail yet');
    await send({ messageId: '<one@x>', subject: 'First' });
    await send({ messageId: '<two@x>', subject: 'Second', html: '<b>bold</b>' });
    const { html: list } = await get('/mail');
    expect(list.indexOf('Second')).toBeLessThan(list.indexOf('First'));
    const [, id] = /href="\/mail\/(mail_\d+)"/.exec(list)!;
    const { html: one, status } = await get(`/mail/${id}`);
    expect(status).toBe(200);
    for (const part of ['Second', 'zoe@example.com', '&lt;two@x&gt;', 'Hallo Zoë']) expect(one).toContain(part);
    expect(one).toContain(`<iframe class="paper" sandbox="" title="The mail as HTML" src="/mail/${id}/html">`);
    expect(await get(`/mail/${id}/html`)).toMatchObject({ status: 200, html: expect.stringContaining('<b>bold</b>') });
  });

  it('lets no mail run anything, load anything or write into the page', async () => {
    const evil = '<script>alert(1)</script>';
    await send({ subject: evil, text: evil, html: `${evil}<img src="http://x/y.png">` });
    const { html: list } = await get('/mail');
    const [, id] = /href="\/mail\/(mail_\d+)"/.exec(list)!;
    const { html: one, policy } = await get(`/mail/${id}`);
    for (const page of [list, one]) expect(page).not.toContain('<script');
    expect(policy).toMatch(/^default-src 'none'; style-src 'sha256-[^']+'; frame-src 'self'/);
    const { policy: inside } = await get(`/mail/${id}/html`);
    expect(inside).toMatch(/^sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:/);
  });

  it('says that there is no such mail', async () => {
    await send();
    const { mails: kept } = await mails();
    for (const path of ['/mail/mail_0', '/mail/mail_0/html', `/mail/${kept[0]!.id}/html`])
      expect((await get(path)).status).toBe(404);
  });
});
