import { copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Authority, createAuthority, eventually } from '@shop/testing';
import type { MigrationInterface, QueryRunner } from 'typeorm';
import { startTlsServer, type TlsServer } from '../testing';
import type { DatabaseAddress } from './address';
import { createDatabase, type Database } from './database';
import { migrate } from './migrate';
import { refuseSharedSessions } from './pooler';

const START_TIMEOUT_MS = 240_000;
const PASSWORD = 'Zq7-a-password';

class CreateShelf1700000000001 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('create table shelf (id int primary key)');
    // How the migration itself is connected.
    await runner.query(`create table migrated as select usename, ssl from pg_stat_ssl join pg_stat_activity using (pid)
                        where pid = pg_backend_pid()`);
  }
  async down(): Promise<void> {}
}

let authority: Authority;
let stranger: Authority;
let server: TlsServer;
let database: Database | undefined;

beforeAll(async () => {
  [authority, stranger] = [createAuthority(), createAuthority()];
  server = await startTlsServer(authority);
  await server.ask(`create role worker login password '${PASSWORD}'`);
  await server.ask(`create role owner login password '${PASSWORD}'`);
  await server.ask('create role certified login');
  await server.ask('grant connect on database postgres to certified');
  await server.ask('grant usage on schema public to certified');
  await server.ask('alter database postgres owner to owner');
}, START_TIMEOUT_MS);
afterEach(async () => {
  await database?.close();
  database = undefined;
});
afterAll(async () => {
  await server?.stop();
  authority.close();
  stranger.close();
});

const open = (address: DatabaseAddress): Database =>
  (database = createDatabase({ ...address, applicationName: 'tls-test', migrations: [CreateShelf1700000000001] }));

/** The ends of both ways to connect: the check of a pooler, and the pool. */
async function refusals(address: DatabaseAddress): Promise<[string, string]> {
  const why = (work: Promise<unknown>): Promise<string> =>
    work.then(
      () => 'none',
      (error: Error) => error.message,
    );
  return [await why(refuseSharedSessions(address)), await why(open(address).connect())];
}

const connections = () =>
  server.ask(`select distinct usename, ssl, version from pg_stat_ssl join pg_stat_activity using (pid)
              where application_name = 'tls-test'`);

const good = (): DatabaseAddress => ({ url: server.urlOf('worker', PASSWORD), tls: { caFile: authority.caFile } });
const ask = { name: 'test.one', text: 'select 1 as one' };

describe('R54 with the right authority', () => {
  it('R54 every connection is encrypted: those of the pool, of TypeORM, of migrations and of the check of a pooler', async () => {
    const address = good();
    await refuseSharedSessions(address);
    open(address);
    const migrator = { ...address, url: server.urlOf('owner', PASSWORD) };
    expect(await migrate(database!, { migrator })).toEqual(['CreateShelf1700000000001']);
    expect(await database!.query(ask)).toEqual([{ one: 1 }]);
    expect(await database!.dataSource.query('select usename, ssl from migrated')).toEqual([
      { usename: 'owner', ssl: true },
    ]);
    expect(await connections()).toEqual([{ usename: 'worker', ssl: true, version: 'TLSv1.3' }]);
    await expect(database!.dataSource.query('drop table shelf')).rejects.toThrow('must be owner of table shelf');
  });

  it('R54 the address alone may say it', async () => {
    const url = `${server.urlOf('worker', PASSWORD)}?sslmode=verify-full&sslrootcert=${authority.caFile}`;
    await refuseSharedSessions({ url });
    await open({ url }).connect();
    expect(await connections()).toMatchObject([{ ssl: true }]);
  });
});

describe('R54 nobody is connected', () => {
  it.each<[string, () => DatabaseAddress, RegExp]>([
    [
      'to a server with the certificate of another authority',
      () => ({ ...good(), tls: { caFile: stranger.caFile } }),
      /^(unable to verify the first certificate|self-signed certificate in certificate chain)$/,
    ],
    [
      'when the authorities of the machine do not know the server',
      () => ({ url: `${server.urlOf('worker', PASSWORD)}?sslmode=verify-full` }),
      /^(unable to verify the first certificate|self-signed certificate in certificate chain)$/,
    ],
    [
      'to a server whose certificate names another host',
      () => ({ ...good(), url: good().url.replace('localhost', '127.0.0.1') }),
      /^Hostname\/IP does not match certificate's altnames: /,
    ],
    ['without TLS where the server asks for it', () => ({ url: good().url }), /no pg_hba.conf entry .* no encryption/],
    [
      'without the certificate that the server asks for',
      () => ({ url: server.urlOf('certified'), tls: { caFile: authority.caFile } }),
      /^connection requires a valid client certificate$/,
    ],
    [
      'with the certificate of another role',
      () => ({
        url: server.urlOf('certified'),
        tls: { caFile: authority.caFile, ...authority.signClient('worker') },
      }),
      /^certificate authentication failed for user "certified"$/,
    ],
    [
      'with a file that is not there',
      () => ({ ...good(), tls: { caFile: '/nowhere/ca.pem' } }),
      /^the file \/nowhere\/ca.pem for the database cannot be read \(ENOENT\)$/,
    ],
    [
      'with a certificate and no key',
      () => ({ ...good(), tls: { certFile: authority.caFile } }),
      /^the certificate of a client of the database and its key are given together$/,
    ],
    [
      'by an address that takes TLS away which the files ask for',
      () => ({ ...good(), url: `${good().url}?sslmode=disable` }),
      /^sslmode=disable of the database and files for TLS exclude each other$/,
    ],
  ])('R54 %s, and one sentence without the password says why', async (_, address, sentence) => {
    for (const refusal of await refusals(address())) {
      expect(refusal).toMatch(sentence);
      expect(refusal).not.toContain(PASSWORD);
    }
  });

  it('R54 to a server that does not speak TLS', async () => {
    await server.ask('alter system set ssl = off');
    await server.ask('select pg_reload_conf()');
    try {
      expect(await refusals(good())).toEqual(Array(2).fill('The server does not support SSL connections'));
    } finally {
      await server.ask('alter system set ssl = on');
      await server.ask('select pg_reload_conf()');
    }
  });
});

describe('R54 what is kept in files may change while the service runs', () => {
  const endSessions = () =>
    server.ask(`select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'tls-test'`);

  it('R54 a client certificate proves the role, and the next connection shows a new one', async () => {
    const folder = join(authority.caFile, '..');
    const tls = { caFile: authority.caFile, certFile: join(folder, 'own.pem'), keyFile: join(folder, 'own.key') };
    const put = (name: string): void => {
      const { certFile, keyFile } = authority.signClient(name);
      copyFileSync(certFile, tls.certFile);
      copyFileSync(keyFile, tls.keyFile);
    };
    put('certified');
    await open({ url: server.urlOf('certified'), tls }).connect();
    const serial = `select client_serial::text as serial from pg_stat_ssl where pid = pg_backend_pid()`;
    const [before] = await database!.dataSource.query<{ serial: string }[]>(serial);
    put('certified');
    await endSessions();
    await eventually(async () => {
      const [after] = await database!.dataSource.query<{ serial: string }[]>(serial);
      expect(after!.serial).not.toBe(before!.serial);
    });
  });

  it('R54 the password in a file counts, and the next connection takes a new one', async () => {
    const passwordFile = join(authority.caFile, '../password');
    writeFileSync(passwordFile, `${PASSWORD}\n`);
    open({ ...good(), url: server.urlOf('worker', 'not-this-one'), passwordFile });
    await database!.connect();
    await server.ask(`alter role worker password 'Zq8-another'`);
    // Connections that are open stay open.
    expect(await database!.query(ask)).toEqual([{ one: 1 }]);
    await endSessions();
    await eventually(() => expect(database!.query(ask)).rejects.toThrow(/^password authentication failed/));
    writeFileSync(passwordFile, 'Zq8-another');
    expect(await database!.query(ask)).toEqual([{ one: 1 }]);
    await server.ask(`alter role worker password '${PASSWORD}'`);
  });
});
