/** The settings of mails: what they may look like, and what production does not take. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readEnvironment } from '@shop/service';
import { FulfilmentEnvironment } from '../environment';
import { DEVELOPMENT_FROM, smtpPasswordIn, unfitMail } from './mail-settings';

const folder = mkdtempSync(join(tmpdir(), 'shop-mail-'));
afterAll(() => rmSync(folder, { recursive: true }));

const read = (more: Record<string, string>) =>
  readEnvironment(FulfilmentEnvironment, {
    FULFILMENT_DATABASE_URL: 'postgres://a@localhost/b',
    NATS_URL: 'nats://localhost',
    API_KEYS: 'k=a/b:operator',
    ...more,
  });

describe('the settings of mails', () => {
  it('have defaults for all but the mail server', () => {
    const settings = read({});
    expect(settings.SMTP_URL).toBeUndefined();
    expect(settings).toMatchObject({
      MAIL_FROM: DEVELOPMENT_FROM,
      MAIL_DELIVERY: 'at-least-once',
      MAIL_PER_SECOND: 50,
    });
  });

  it.each([
    ['SMTP_URL', 'smtp://127.0.0.1:3025'],
    ['SMTP_URL', 'smtps://user:pass%40word@mail.example'],
    ['SMTP_URL', 'smtp://mail.example:587/?requireTLS=true'],
    ['MAIL_FROM', 'shop@shop.example'],
    ['MAIL_FROM', 'Der Laden <laden@shop.example>'],
    ['MAIL_DELIVERY', 'at-most-once'],
  ])('take %s=%s', (name, value) => {
    expect(read({ [name]: value })).toMatchObject({ [name]: value });
  });

  it.each([
    ['SMTP_URL', 'http://mail.example'],
    ['SMTP_URL', 'mail.example:25'],
    ['SMTP_URL', 'smtp://mail.example/path'],
    ['MAIL_FROM', 'Shop'],
    ['MAIL_FROM', 'Shop <shop@shop.example>\nBcc: eve@example.com'],
    ['MAIL_DELIVERY', 'exactly-once'],
    ['MAIL_PER_SECOND', '0'],
  ])('do not take %s=%s, and say so without a secret', (name, value) => {
    expect(() => read({ [name]: value })).toThrow(name);
  });

  it('read the password from its file', () => {
    const file = join(folder, 'password');
    expect(smtpPasswordIn({})).toBeUndefined();
    writeFileSync(file, 'secret word\n');
    expect(smtpPasswordIn({ SMTP_PASSWORD_FILE: file })).toBe('secret word');
    writeFileSync(file, '\n');
    expect(() => smtpPasswordIn({ SMTP_PASSWORD_FILE: file })).toThrow(`the file ${file} has no password in it`);
    expect(() => smtpPasswordIn({ SMTP_PASSWORD_FILE: join(folder, 'none') })).toThrow(/SMTP_PASSWORD_FILE.*ENOENT/);
  });
});

it.each([
  ['smtps://mail.example', 0],
  ['smtp://127.0.0.1:25', 0],
  ['smtp://localhost', 0],
  ['smtp://[::1]:25', 0],
  ['smtp://mail.example?requireTLS=true', 0],
  ['smtp://mail.example?requireTLS=false', 0],
  ['smtp://mail.example:587', 1],
  [undefined, 0],
])('R54 production takes mail in clear only where it is said: %s has %d reasons', (SMTP_URL, reasons) => {
  expect(unfitMail({ SMTP_URL, MAIL_FROM: 'shop@shop.test' })).toHaveLength(reasons);
});

it('R54 production does not take the sender of development', () => {
  expect(unfitMail({ MAIL_FROM: DEVELOPMENT_FROM })).toEqual(['MAIL_FROM is the sender of development']);
});
