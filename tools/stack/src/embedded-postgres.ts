// Runs a PostgreSQL of our own from the programs that npm installed.
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { DataDir } from './data-dir';
import { portTaken } from './free-port';
import type { Guard } from './guard';
import { withClient, type PostgresServer } from './postgres';
import { findPostgres } from './postgres-binaries';
import { logTail, spawnServer, type ServerProcess } from './server-process';
import { StackError } from './stack-error';
import { giveTo, unprivilegedAccount } from './unprivileged';

const START_TIMEOUT_MS = 60_000;
const POLL_MS = 20;

/** A fast shutdown writes everything to disk first; after this time it is killed, and it recovers at the next start. */
const STOP_PATIENCE_MS = 20_000;

const SETTINGS = [
  'listen_addresses=127.0.0.1',
  // No sockets in the file system: their paths have a length limit that long temporary folders exceed.
  'unix_socket_directories=',
  // Three services with their pools, the tests' clients, and room to look in with psql.
  'max_connections=200',
  'shared_buffers=128MB',
  // Many short queries: compiling them costs more than it saves.
  'jit=off',
];

// For temporary data: committed data survives a crash of PostgreSQL, but not a crash of the machine. For that reason commits
// stay synchronous; without waiting for the disk they cost almost nothing.
const NOT_DURABLE = ['fsync=off', 'full_page_writes=off'];

export interface EmbeddedPostgresOptions {
  dataDir: DataDir;
  port: number;
  durable: boolean;
  guard: Guard;
  log: (sentence: string) => void;
}

export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<PostgresServer> {
  const { dataDir, port, durable, guard } = options;
  const account = unprivilegedAccount();
  const programs = findPostgres(account, join(dataDir.path, 'postgres-programs'));
  const data = join(dataDir.path, 'postgres');
  const logFile = join(dataDir.path, 'postgres.log');
  const passwordFile = join(dataDir.path, 'postgres-password');
  // The log is only about this stack.
  rmSync(logFile, { force: true });
  await initialise();
  const password = readFileSync(passwordFile, 'utf8').trim();
  const adminUrl = `postgres://postgres:${password}@127.0.0.1:${port}/postgres`;
  const settings = [...SETTINGS, ...(durable ? [] : NOT_DURABLE)].flatMap((setting) => ['-c', setting]);
  let server: ServerProcess | undefined;
  let expected = false;

  async function initialise(): Promise<void> {
    if (existsSync(join(data, 'PG_VERSION'))) return;
    // Made in another place and renamed, so that an interrupted start leaves nothing that looks complete.
    const fresh = `${data}.new`;
    rmSync(fresh, { recursive: true, force: true });
    mkdirSync(fresh, { mode: 0o700 });
    writeFileSync(passwordFile, `${randomBytes(18).toString('base64url')}\n`);
    chmodSync(passwordFile, 0o600);
    giveTo(account, fresh);
    giveTo(account, passwordFile);
    const args = [`--pgdata=${fresh}`, '--username=postgres', `--pwfile=${passwordFile}`, '--auth=scram-sha-256'];
    // The built-in locale sorts in the same way on every machine.
    args.push('--encoding=UTF8', '--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8');
    if (!durable) args.push('--no-sync');
    try {
      const env = { PATH: process.env.PATH, LC_ALL: 'C', TZ: 'UTC' };
      await promisify(execFile)(programs.initdb, args, { ...account, cwd: dataDir.path, env });
    } catch (error) {
      throw new StackError(`PostgreSQL could not make its data folder in ${dataDir.path}; see the cause.`, error);
    }
    renameSync(fresh, data);
  }

  async function start(): Promise<void> {
    if (server?.running) return;
    const endSignal = dataDir.temporary ? 'SIGQUIT' : 'SIGINT';
    const args = ['-D', data, '-p', String(port), ...settings];
    const started = spawnServer({
      command: programs.postgres,
      args,
      logFile,
      cwd: dataDir.path,
      account,
      guard,
      endSignal,
    });
    server = started;
    expected = false;
    await ready(started);
    void started.exited.then((how) => {
      if (!expected) options.log(`PostgreSQL ended unexpectedly (${how}).`);
    });
  }

  async function ready(started: ServerProcess): Promise<void> {
    const deadline = performance.now() + START_TIMEOUT_MS;
    for (;;) {
      // Asked before the process is checked: another PostgreSQL on the port would not know our password.
      const answers = await withClient(adminUrl, (client) => client.query('select 1')).then(
        () => true,
        () => false,
      );
      if (!started.running) break;
      if (answers) return;
      if (performance.now() > deadline) break;
      await sleep(POLL_MS);
    }
    await started.end('SIGQUIT', STOP_PATIENCE_MS);
    const cause = logTail(logFile);
    if (/Address already in use|could not bind/i.test(cause.message)) throw portTaken(port, 'PostgreSQL', cause);
    throw new StackError(`PostgreSQL did not start with the data in ${data}; see its log ${logFile}.`, cause);
  }

  async function end(signal: NodeJS.Signals): Promise<void> {
    expected = true;
    await server?.end(signal, STOP_PATIENCE_MS);
  }

  await start();
  return {
    adminUrl,
    pid: () => (server?.running ? server.pid : undefined),
    // Not SIGKILL: that orphans the processes of the open connections, and they would block the next start.
    kill: () => end('SIGQUIT'),
    start,
    async restart(mode) {
      await end(mode === 'immediate' ? 'SIGQUIT' : 'SIGINT');
      await start();
    },
    // Data that is deleted next does not have to be written to disk first.
    stop: () => end(dataDir.temporary ? 'SIGQUIT' : 'SIGINT'),
  };
}
