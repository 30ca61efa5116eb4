import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectionOf, withoutUser } from './broker-options';

const folder = mkdtempSync(join(tmpdir(), 'broker-options-'));
const fileOf = (name: string, text: string): string => {
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
};
afterAll(() => rmSync(folder, { recursive: true }));

describe('R64 how a service connects to the broker', () => {
  it('R64 takes the user from the address, and keeps it out of the servers', () => {
    expect(connectionOf('nats://till:p%40ss@one:4222, nats://till:p%40ss@two:4222')).toEqual({
      servers: ['nats://one:4222', 'nats://two:4222'],
      user: 'till',
      pass: 'p@ss',
    });
  });

  it('R64 takes no user from an address without one', () => {
    expect(connectionOf('nats://one:4222')).toEqual({ servers: ['nats://one:4222'] });
  });

  it('R64 prefers the user that is given, and the password in the file', () => {
    const passwordFile = fileOf('password', 'p-file\n');
    const given = { user: 'crane', password: 'p-variable' };
    expect(connectionOf('nats://till:p@one', given)).toMatchObject({ user: 'crane', pass: 'p-variable' });
    expect(connectionOf('nats://one', { ...given, passwordFile })).toMatchObject({ user: 'crane', pass: 'p-file' });
  });

  it('R64 encrypts for tls:// alone, and when a file is given', () => {
    const caFile = fileOf('ca.pem', 'authorities');
    const [certFile, keyFile] = [fileOf('cert.pem', 'own'), fileOf('key.pem', 'secret')];
    expect(connectionOf('nats://one').tls).toBeUndefined();
    expect(connectionOf('tls://one').tls).toEqual({});
    const tls = { ca: 'authorities', cert: 'own', key: 'secret' };
    expect(connectionOf('nats://one', {}, { caFile, certFile, keyFile }).tls).toEqual(tls);
  });

  it.each(['passwordFile', 'credentialsFile'] as const)('R64 names a %s that is not there in one sentence', (name) => {
    const missing = join(folder, 'missing');
    expect(() => connectionOf('nats://one', { user: 'till', [name]: missing })).toThrow(
      `the file ${missing} for the broker cannot be read (ENOENT)`,
    );
  });

  it.each([
    ['nats://till:secret@one:4222', 'nats://one:4222'],
    ['nats://till:se@cret@one:4222,tls://till:secret@two', 'nats://one:4222,tls://two'],
    ['nats://token-secret@one', 'nats://one'],
  ])('R64 shows no password of %s', (address, shown) => {
    expect(withoutUser(address)).toBe(shown);
  });
});
