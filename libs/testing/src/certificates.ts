// Certificates for one test file, made by openssl: an authority, and what it signs for servers and clients.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Certificate {
  certFile: string;
  keyFile: string;
}

export interface Authority {
  /** Its own certificate, with which those that it has signed are checked. */
  caFile: string;
  /** `hosts` as openssl names them: `DNS:localhost`, `IP:127.0.0.1`. */
  signServer(hosts: string[]): Certificate;
  signClient(name: string): Certificate;
  /** Deletes all of its files. */
  close(): void;
}

/** No test runs for longer. */
const DAYS = '2';
const KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

export function createAuthority(): Authority {
  const folder = mkdtempSync(join(tmpdir(), 'shop-certificates-'));
  const path = (name: string): string => join(folder, name);
  const openssl = (...args: string[]): void =>
    void execFileSync('openssl', args, { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] });
  openssl('req', '-x509', ...KEY, '-keyout', 'ca.key', '-out', 'ca.pem', '-subj', '/CN=test authority', '-days', DAYS);
  let signed = 0;

  function sign(name: string, extensions: string): Certificate {
    const file = `signed-${(signed += 1)}`;
    writeFileSync(path(`${file}.ext`), extensions);
    openssl('req', ...KEY, '-keyout', `${file}.key`, '-out', `${file}.csr`, '-subj', `/CN=${name}`);
    const authority = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-days', DAYS];
    openssl('x509', '-req', '-in', `${file}.csr`, ...authority, '-extfile', `${file}.ext`, '-out', `${file}.pem`);
    return { certFile: path(`${file}.pem`), keyFile: path(`${file}.key`) };
  }

  return {
    caFile: path('ca.pem'),
    signServer: (hosts) => sign('server', `subjectAltName=${hosts.join(',')}\nextendedKeyUsage=serverAuth\n`),
    signClient: (name) => sign(name, 'extendedKeyUsage=clientAuth\n'),
    close: () => rmSync(folder, { recursive: true, force: true }),
  };
}
