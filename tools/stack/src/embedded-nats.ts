// Runs a NATS server of our own, with JetStream, in the data folder of the stack.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { DataDir } from './data-dir';
import { portTaken } from './free-port';
import type { Guard } from './guard';
import { accessUrl, natsGreeting, type NatsAccess, type NatsServer } from './nats';
import { logTail, spawnServer, type ServerProcess } from './server-process';
import { StackError } from './stack-error';

const START_TIMEOUT_MS = 30_000;
const STOP_PATIENCE_MS = 10_000;
const POLL_MS = 20;

/** A batch travels in one message; the default limit of 1 MB is too small for large batches. */
const MAX_PAYLOAD_BYTES = 8_388_608;

export interface EmbeddedNatsOptions {
  binary: string;
  dataDir: DataDir;
  port: number;
  monitorPort: number;
  access: NatsAccess | undefined;
  guard: Guard;
  log: (sentence: string) => void;
}

export async function startEmbeddedNats(options: EmbeddedNatsOptions): Promise<NatsServer> {
  const { dataDir, port, monitorPort, access, guard } = options;
  const store = join(dataDir.path, 'nats');
  const logFile = join(dataDir.path, 'nats.log');
  const configFile = join(dataDir.path, 'nats.conf');
  // JSON strings are valid strings of the configuration language, whatever the path contains.
  const config = [
    `listen: "127.0.0.1:${port}"`,
    `http: "127.0.0.1:${monitorPort}"`,
    `max_payload: ${MAX_PAYLOAD_BYTES}`,
    `jetstream { store_dir: ${JSON.stringify(store)} }`,
    access?.configuration ?? '',
  ];
  // The log is only about this stack.
  rmSync(logFile, { force: true });
  // It may have passwords in it.
  writeFileSync(configFile, `${config.join('\n')}\n`, { mode: 0o600 });
  let server: ServerProcess | undefined;
  let expected = false;

  async function start(): Promise<void> {
    if (server?.running) return;
    mkdirSync(store, { recursive: true, mode: 0o700 });
    const args = ['-js', '-c', configFile];
    const endSignal = dataDir.temporary ? 'SIGKILL' : 'SIGTERM';
    const started = spawnServer({ command: options.binary, args, logFile, cwd: dataDir.path, guard, endSignal });
    server = started;
    expected = false;
    await ready(started);
    void started.exited.then((how) => {
      if (!expected) options.log(`NATS ended unexpectedly (${how}).`);
    });
  }

  async function ready(started: ServerProcess): Promise<void> {
    const deadline = performance.now() + START_TIMEOUT_MS;
    for (;;) {
      const greeting = await natsGreeting('127.0.0.1', port).catch(() => '');
      if (!started.running) break;
      if (greeting !== '') return;
      if (performance.now() > deadline) break;
      await sleep(POLL_MS);
    }
    await started.end('SIGKILL', STOP_PATIENCE_MS);
    const cause = logTail(logFile);
    if (/address already in use/i.test(cause.message)) throw portTaken(port, 'NATS', cause);
    throw new StackError(`NATS did not start with the data in ${store}; see its log ${logFile}.`, cause);
  }

  async function end(signal: NodeJS.Signals): Promise<void> {
    expected = true;
    await server?.end(signal, STOP_PATIENCE_MS);
  }

  await start();
  return {
    url: accessUrl(`127.0.0.1:${port}`, access),
    monitorUrl: `http://127.0.0.1:${monitorPort}`,
    pid: () => (server?.running ? server.pid : undefined),
    kill: () => end('SIGKILL'),
    start,
    async wipe() {
      const wasRunning = server?.running === true;
      await end('SIGKILL');
      rmSync(store, { recursive: true, force: true, maxRetries: 10 });
      if (wasRunning) await start();
    },
    stop: () => end(dataDir.temporary ? 'SIGKILL' : 'SIGTERM'),
  };
}
