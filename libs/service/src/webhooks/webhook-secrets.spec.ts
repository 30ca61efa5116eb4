import 'reflect-metadata';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '@shop/testing';
import { IsOptional, IsString } from 'class-validator';
import pino from 'pino';
import { readEnvironment } from '../environment';
import { IsWebhookSecrets, unfitWebhookSecrets, WebhookSecrets } from './webhook-secrets';

class Variables {
  @IsWebhookSecrets() CARRIER_WEBHOOK_SECRETS?: string;
  @IsOptional() @IsString() CARRIER_WEBHOOK_SECRETS_FILE?: string;
}

const old = 'whsec_0123456789abcdef';
const next = 'whsec_fedcba9876543210';
const log: string[] = [];
const logger = pino({ messageKey: 'event' }, { write: (line: string) => void log.push(line) });
const settingsOf = (given: Variables) => ({
  variable: 'CARRIER_WEBHOOK_SECRETS',
  list: given.CARRIER_WEBHOOK_SECRETS,
  file: given.CARRIER_WEBHOOK_SECRETS_FILE,
});
const inUse = (given: Variables) => new WebhookSecrets(settingsOf(given), logger).current();

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'webhook-secrets-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function file(content: string): string {
  const path = join(folder, 'secrets');
  writeFileSync(path, content);
  return path;
}

describe('R57 the secrets of webhooks', () => {
  it('R57 are a list in the environment, or in a file, which is the stronger one', () => {
    expect(inUse(readEnvironment(Variables, {}))).toEqual([]);
    const read = readEnvironment(Variables, { CARRIER_WEBHOOK_SECRETS: `${old}, ${next}` });
    expect(inUse(read)).toEqual([old, next]);
    expect(inUse({ ...read, CARRIER_WEBHOOK_SECRETS_FILE: file(`${next}\n`) })).toEqual([next]);
  });

  it('R57 are read again when the file changes, and stay as they were while it cannot be read', async () => {
    const secrets = new WebhookSecrets(settingsOf({ CARRIER_WEBHOOK_SECRETS_FILE: file(old) }), logger);
    file(`${next},${old}`);
    await eventually(() => expect(secrets.current()).toEqual([next, old]));
    file('short');
    await eventually(() => {
      secrets.current();
      expect(log.join('')).toContain('webhook.secrets.unreadable');
    });
    expect(secrets.current()).toEqual([next, old]);
    expect(log.join('')).not.toMatch(/whsec|short/);
  });

  it.each([['short'], [','], [Array(6).fill(old).join(',')], ['whsec_with a blank inside']])(
    'R57 are named when they are faulty, without a secret: %s',
    (text) => {
      const fault = 'must list 1 to 5 secrets of at least 16 characters';
      expect(() => readEnvironment(Variables, { CARRIER_WEBHOOK_SECRETS: text })).toThrow(
        new RegExp(`CARRIER_WEBHOOK_SECRETS ${fault}$`),
      );
      expect(() => inUse({ CARRIER_WEBHOOK_SECRETS_FILE: file(text) })).toThrow(new RegExp(`secrets ${fault}$`));
    },
  );

  it('R57 stop the start when their file is not there', () => {
    expect(() => inUse({ CARRIER_WEBHOOK_SECRETS_FILE: join(folder, 'nowhere') })).toThrow(
      /cannot be read \(ENOENT\)$/,
    );
  });

  it.each([
    [{}, ['CARRIER_WEBHOOK_SECRETS is missing, and without it no event of the carrier can be believed']],
    [{ CARRIER_WEBHOOK_SECRETS: 'whsec_development' }, ['CARRIER_WEBHOOK_SECRETS has a secret of development']],
    [{ CARRIER_WEBHOOK_SECRETS: old }, []],
  ])('R57 have to be there in production, and not those of development: %j', (given, reasons) => {
    expect(unfitWebhookSecrets(settingsOf(given), 'the carrier')).toEqual(reasons);
  });
});
