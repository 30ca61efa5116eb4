// Ends our child processes when we are killed without a chance to do it ourselves.
import { spawn } from 'node:child_process';

/** How long a process may take to end before the guard kills it. */
const PATIENCE_MS = 5_000;

// A separate process that reads lines from us. Our death, however sudden, closes its standard input. Then it ends
// the processes that it watches. It is plain text for `node -e`, so it works the same from sources and from a build.
const GUARD_SOURCE = `
const { readFileSync, rmSync } = require('node:fs');
const { createInterface } = require('node:readline');
const watched = new Map();
const garbage = new Set();
const send = (target, signal) => { try { process.kill(target, signal); return true; } catch { return false; } };
// It has ended, but nobody has collected its exit code: our own children after our death.
const zombie = (pid) => { try { return / Z /.test(readFileSync('/proc/' + pid + '/stat', 'utf8')); } catch { return false; } };
const lines = createInterface({ input: process.stdin });
lines.on('line', (line) => {
  const order = JSON.parse(line);
  if (order.watch) watched.set(order.watch, order.signal);
  if (order.forget) watched.delete(order.forget);
  if (order.remove) garbage.add(order.remove);
});
lines.on('close', () => {
  const deadline = performance.now() + ${PATIENCE_MS};
  for (const [target, signal] of watched) send(target, signal);
  const check = () => {
    const alive = [...watched.keys()].filter((target) => send(target, 0) && !zombie(Math.abs(target)));
    if (alive.length > 0 && performance.now() < deadline) return void setTimeout(check, 50);
    for (const target of alive) send(target, 'SIGKILL');
    for (const path of garbage) rmSync(path, { recursive: true, force: true, maxRetries: 10 });
  };
  check();
});
`;

export interface Guard {
  readonly pid: number;
  /** Ends this process with this signal when we die; a negative number means a process group. */
  watch(target: number, signal: NodeJS.Signals): void;
  /** To be called as soon as the process has ended, because another process may get its number. */
  forget(target: number): void;
  /** Deletes this folder when we die. */
  remove(path: string): void;
  /** Stops the guard; it ends what it still watches and exits. */
  close(): Promise<void>;
}

/** Starts a guard; it is in its own process group, so Ctrl-C in the terminal does not reach it. */
export function startGuard(): Guard {
  // Without NODE_OPTIONS: options for us, such as a debugger, are not for the guard.
  const env = { PATH: process.env.PATH };
  const child = spawn(process.execPath, ['-e', GUARD_SOURCE], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
    env,
    cwd: '/',
  });
  child.unref();
  const gone = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
    child.once('error', () => resolve());
  });
  // If somebody has killed the guard, its broken pipe must not end us.
  child.on('error', () => undefined);
  child.stdin.on('error', () => undefined);
  (child.stdin as unknown as { unref(): void }).unref();
  const order = (what: object): void => {
    child.stdin.write(`${JSON.stringify(what)}\n`);
  };
  return {
    pid: child.pid ?? 0,
    watch: (target, signal) => order({ watch: target, signal }),
    forget: (target) => order({ forget: target }),
    remove: (path) => order({ remove: path }),
    async close() {
      child.ref();
      child.stdin.end();
      await gone;
    },
  };
}
