import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { checkServerIdentity as check, PeerCertificate } from 'node:tls';
import { connectionOf, withoutUser } from './broker-options';

type TokenOf = () => { user: string; pass: string };

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
    const login = () => (connectionOf('nats://one', { ...given, passwordFile }).authenticator as TokenOf)();
    expect(login()).toEqual({ user: 'crane', pass: 'p-file' });
  });

  it('R64 reads the password in the file again for each connection', () => {
    const passwordFile = fileOf('changing', 'p-old');
    const login = connectionOf('nats://one', { user: 'crane', passwordFile }).authenticator as TokenOf;
    expect(login().pass).toBe('p-old');
    fileOf('changing', 'p-new');
    expect(login().pass).toBe('p-new');
  });

  it('R64 encrypts for tls:// alone, and when a file is given', () => {
    const caFile = fileOf('ca.pem', 'authorities');
    const [certFile, keyFile] = [fileOf('cert.pem', 'own'), fileOf('key.pem', 'secret')];
    expect(connectionOf('nats://one').tls).toBeUndefined();
    expect(connectionOf('tls://one').tls).toBeDefined();
    const tls = { caFile, certFile, keyFile };
    expect(connectionOf('nats://one', {}, tls).tls).toMatchObject(tls);
  });

  it.each<[string, string, string | undefined]>([
    ['tls://one:4222', 'one', undefined],
    ['tls://one', 'two', "Hostname/IP does not match certificate's altnames"],
    // The client names no host that is an address, and then Node asks for this one.
    ['tls://10.0.0.7:4222', 'localhost', "IP: 10.0.0.7 is not in the cert's list"],
    ['tls://[::1]:4222', 'localhost', "IP: ::1 is not in the cert's list"],
    ['tls://localhost:4222', 'localhost', "Host: localhost. is not in the cert's altnames"],
  ])('R64 of %s takes a certificate for the name %s: %s', (url, name, fault) => {
    const certificate = { subject: {}, subjectaltname: 'DNS:one' } as unknown as PeerCertificate;
    const { checkServerIdentity } = connectionOf(url).tls as { checkServerIdentity: typeof check };
    const found = checkServerIdentity(name, certificate)?.message;
    if (fault === undefined) expect(found).toBeUndefined();
    else expect(found).toContain(fault);
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
