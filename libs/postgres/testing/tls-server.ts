/**
 * A PostgreSQL of its own that speaks TLS. Its certificate is for `localhost` only. Whoever is not its administrator has
 * to encrypt, and the role `certified` has to show a certificate instead of a password.
 */
import { chownSync, copyFileSync, chmodSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startStack } from '@shop/stack';
import type { Authority } from '@shop/testing';
import { Client } from 'pg';

export interface TlsServer {
  adminUrl: string;
  /** Of the role, at the name that is in the certificate. */
  urlOf(role: string, password?: string): string;
  ask<Row>(text: string, values?: unknown[]): Promise<Row[]>;
  stop(): Promise<void>;
}

/** In this order: the first line that fits a connection counts. */
const WHO_COMES_IN = `
host all postgres 127.0.0.1/32 scram-sha-256
hostssl all certified 127.0.0.1/32 cert
hostssl all all 127.0.0.1/32 scram-sha-256
`;

export async function startTlsServer(authority: Authority): Promise<TlsServer> {
  // Below /tmp, where the account that runs PostgreSQL for root may enter.
  const dataDir = mkdtempSync('/tmp/shop-tls-');
  chmodSync(dataDir, 0o711);
  const env = { ...process.env, DATABASE_URL: '', NATS_URL: '', TEST_STACK: '' };
  const stack = await startStack({ databases: [], dataDir, durable: false, env });
  const folder = join(dataDir, 'postgres');
  const { uid, gid } = statSync(folder);
  const give = (from: string, name: string): void => {
    const to = join(folder, name);
    copyFileSync(from, to);
    chmodSync(to, 0o600);
    chownSync(to, uid, gid);
  };
  const { certFile, keyFile } = authority.signServer(['DNS:localhost']);
  give(certFile, 'server.crt');
  give(keyFile, 'server.key');
  give(authority.caFile, 'ca.crt');
  writeFileSync(join(folder, 'pg_hba.conf'), WHO_COMES_IN);
  const admin = new Client({ connectionString: stack.adminUrl });
  await admin.connect();
  await admin.query(`alter system set ssl_ca_file = 'ca.crt'`);
  await admin.query('alter system set ssl = on');
  await admin.end();
  await stack.restartPostgres('fast');
  return {
    adminUrl: stack.adminUrl,
    urlOf(role, password) {
      const url = new URL(stack.adminUrl);
      url.hostname = 'localhost';
      [url.username, url.password] = [role, password ?? ''];
      return url.href;
    },
    async ask(text, values) {
      const client = new Client({ connectionString: stack.adminUrl });
      await client.connect();
      try {
        return (await client.query(text, values)).rows;
      } finally {
        await client.end();
      }
    },
    async stop() {
      await stack.stop();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}
