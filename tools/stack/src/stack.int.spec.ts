// Starts real servers and tests what the stack promises: same ports after faults, nothing left after the end.
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { assertPortFree } from './free-port';
import { isAlive } from './is-alive';
import { natsGreeting } from './nats';
import { withClient } from './postgres';
import { StackError } from './stack-error';
import { startStack, type Stack } from './stack';

// These tests use the embedded servers, whatever the environment of this machine says.
const env = { ...process.env, DATABASE_URL: '', NATS_URL: '', TEST_STACK: '' };
const ask = async (url: string, sql: string): Promise<unknown[]> =>
  withClient(url, async (client) => (await client.query({ text: sql, rowMode: 'array' })).rows.flat());
const portOf = (url: string): number => Number(new URL(url).port);

async function streamNames(natsUrl: string, create?: string): Promise<string[]> {
  const connection = await connect({ servers: natsUrl });
  try {
    const manager = await jetstreamManager(connection);
    if (create !== undefined) await manager.streams.add({ name: create, subjects: [`${create}.>`] });
    return await manager.streams.names().next();
  } finally {
    await connection.close();
  }
}

describe('a running stack', () => {
  let stack: Stack;
  beforeAll(async () => {
    stack = await startStack({ databases: ['orders', 'Odd "name"'], durable: false, env });
  });
  afterAll(() => stack.stop());

  test('has the databases it was asked for', async () => {
    expect(await ask(stack.databaseUrl('orders'), 'select current_database()::text')).toEqual(['orders']);
    expect(await ask(stack.databaseUrl('Odd "name"'), 'select current_database()::text')).toEqual(['Odd "name"']);
  });

  test('speaks JetStream, takes large messages and can be watched', async () => {
    const greeting = await natsGreeting('127.0.0.1', portOf(stack.natsUrl));
    expect(greeting).toContain('"jetstream":true');
    expect(greeting).toContain('"max_payload":8388608');
    const health = await fetch(`${stack.natsMonitorUrl}/healthz`);
    expect(health.status).toBe(200);
  });

  test('keeps what was committed when PostgreSQL crashes and comes back on the same port', async () => {
    const url = stack.databaseUrl('orders');
    await ask(url, 'create table kept as select 7 as n');
    const before = stack.postgresPid();
    await stack.restartPostgres('immediate');
    expect(stack.postgresPid()).not.toBe(before);
    expect(await ask(url, 'select n from kept')).toEqual([7]);
    await stack.restartPostgres('fast');
    expect(await ask(url, 'select n from kept')).toEqual([7]);
  });

  test('gives no connection while PostgreSQL is down', async () => {
    await stack.killPostgres();
    expect(stack.postgresPid()).toBeUndefined();
    await expect(ask(stack.adminUrl, 'select 1')).rejects.toThrow('ECONNREFUSED');
    await stack.startPostgres();
    expect(await ask(stack.adminUrl, 'select 1')).toEqual([1]);
  });

  test('keeps its streams when NATS is killed and loses them when it is wiped, on the same port', async () => {
    expect(await streamNames(stack.natsUrl, 'orders')).toEqual(['orders']);
    const before = stack.natsPid();
    await stack.killNats();
    expect(stack.natsPid()).toBeUndefined();
    await expect(natsGreeting('127.0.0.1', portOf(stack.natsUrl))).rejects.toThrow('ECONNREFUSED');
    await stack.startNats();
    expect(stack.natsPid()).not.toBe(before);
    expect(await streamNames(stack.natsUrl)).toEqual(['orders']);
    await stack.wipeNats();
    expect(await streamNames(stack.natsUrl)).toEqual([]);
  });

  test('stays down when it is wiped while down', async () => {
    await stack.killNats();
    await stack.wipeNats();
    expect(stack.natsPid()).toBeUndefined();
    await stack.startNats();
    expect(stack.natsPid()).toBeDefined();
  });

  test('can be given to another stack, which creates databases there and cannot break it', async () => {
    const given = { DATABASE_URL: stack.adminUrl, NATS_URL: stack.natsUrl };
    const guest = await startStack({ databases: ['orders', 'guests'], env: given });
    expect(await ask(guest.databaseUrl('guests'), 'select current_database()::text')).toEqual(['guests']);
    expect(guest.natsUrl).toBe(stack.natsUrl);
    for (const fault of [guest.killNats, guest.wipeNats, guest.killPostgres]) {
      await expect(fault()).rejects.toThrow('Faults can only be injected into servers that the stack runs itself');
    }
    await guest.stop();
    expect(await ask(stack.adminUrl, 'select 1')).toEqual([1]);
  });

  test('lets a second one run beside it, which leaves no process, port or file when it stops', async () => {
    const second = await startStack({ databases: [], durable: false, env });
    const [data] = (await ask(second.adminUrl, 'show data_directory')) as string[];
    const pids = [second.postgresPid() ?? 0, second.natsPid() ?? 0];
    expect(pids.every(isAlive)).toBe(true);
    await second.stop();
    expect(pids.some(isAlive)).toBe(false);
    await assertPortFree(portOf(second.adminUrl), 'PostgreSQL');
    await assertPortFree(portOf(second.natsUrl), 'NATS');
    expect(existsSync(dirname(data ?? '/'))).toBe(false);
    expect(await ask(stack.adminUrl, 'select 1')).toEqual([1]);
  });
});

test('data in a given folder is there the next time, and one stack at a time may use it', async () => {
  const dataDir = join(mkdtempSync('/tmp/stack-spec-'), 'data');
  try {
    // Only its owner may enter the folder from mkdtemp, so the account of PostgreSQL could not.
    rmSync(dirname(dataDir), { recursive: true });
    const first = await startStack({ databases: ['orders'], dataDir, env });
    await ask(first.databaseUrl('orders'), 'create table kept as select 7 as n');
    await streamNames(first.natsUrl, 'orders');
    await expect(startStack({ databases: [], dataDir, env })).rejects.toThrow('is in use by another stack');
    await first.stop();
    const second = await startStack({ databases: ['orders'], dataDir, env });
    expect(await ask(second.databaseUrl('orders'), 'select n from kept')).toEqual([7]);
    expect(await streamNames(second.natsUrl)).toEqual(['orders']);
    await second.stop();
  } finally {
    rmSync(dirname(dataDir), { recursive: true, force: true });
  }
});

test('a taken port is reported in one sentence, and the other server does not stay', async () => {
  const squatter = createServer();
  await new Promise<void>((resolve) => squatter.listen(0, '127.0.0.1', resolve));
  const { port } = squatter.address() as AddressInfo;
  for (const ports of [{ postgresPort: port }, { natsPort: port }]) {
    const starting = startStack({ databases: [], durable: false, env, ...ports });
    await expect(starting).rejects.toBeInstanceOf(StackError);
    await expect(starting).rejects.toThrow(/^Port \d+ on 127\.0\.0\.1, asked for (PostgreSQL|NATS), is taken; .*\.$/);
  }
  await new Promise((resolve) => squatter.close(resolve));
});

test('given servers that do not answer are reported by the name of their variable', async () => {
  const dead = { DATABASE_URL: 'postgres://x@127.0.0.1:1/x', NATS_URL: 'nats://127.0.0.1:1' };
  await expect(startStack({ databases: [], env: dead })).rejects.toThrow('start it or unset DATABASE_URL');
  const deadNats = { ...env, NATS_URL: dead.NATS_URL };
  await expect(startStack({ databases: [], durable: false, env: deadNats })).rejects.toThrow('or unset NATS_URL');
});

// Loads the sources in a process of its own, which can then be killed.
const PARENT = `
const { transformFileSync } = require('@swc/core');
require('node:module')._extensions['.ts'] = (module, file) => module._compile(transformFileSync(file).code, file);
const { startStack } = require(process.argv[1]);
startStack({ databases: [], durable: false }).then(async (stack) => {
  const { Client } = require('pg');
  const client = new Client({ connectionString: stack.adminUrl });
  await client.connect();
  const { rows } = await client.query('show data_directory');
  console.log(JSON.stringify({ pids: [stack.postgresPid(), stack.natsPid()], data: rows[0].data_directory }));
});
`;

test('a parent that is killed leaves no server and no file behind', async () => {
  const root = join(__dirname, '..', '..', '..');
  const parent = spawn(process.execPath, ['-e', PARENT, join(__dirname, 'index.ts')], { cwd: root, env });
  try {
    let output = '';
    parent.stderr.on('data', (chunk: Buffer) => void (output += chunk.toString()));
    const line = await new Promise<string>((resolve, reject) => {
      parent.stdout.once('data', (chunk: Buffer) => resolve(chunk.toString()));
      parent.once('exit', () => reject(new Error(`the parent ended early: ${output}`)));
    });
    const { pids, data } = JSON.parse(line) as { pids: number[]; data: string };
    expect(pids.every(isAlive)).toBe(true);
    parent.kill('SIGKILL');
    const deadline = performance.now() + 10_000;
    while ((pids.some(isAlive) || existsSync(dirname(data))) && performance.now() < deadline) await sleep(20);
    expect(pids.some(isAlive)).toBe(false);
    expect(existsSync(dirname(data))).toBe(false);
    expect(data.startsWith(tmpdir())).toBe(true);
  } finally {
    parent.kill('SIGKILL');
  }
});
