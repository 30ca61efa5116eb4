// One server process of ours: started apart from the terminal, logging to a file, watched by the guard.
import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import type { Guard } from './guard';
import type { Account } from './unprivileged';

/** How much of the end of a log is in an error. */
const LOG_TAIL_CHARS = 2_000;

export interface ServerProcessOptions {
  command: string;
  args: string[];
  logFile: string;
  cwd: string;
  account?: Account | undefined;
  guard: Guard;
  /** The signal that the guard sends when we die. */
  endSignal: NodeJS.Signals;
}

export interface ServerProcess {
  readonly pid: number;
  readonly running: boolean;
  /** Resolves when the process has ended, with a few words on how. */
  readonly exited: Promise<string>;
  /** Sends the signal and waits; a process that has not ended after `patienceMs` is killed. */
  end(signal: NodeJS.Signals, patienceMs: number): Promise<void>;
}

export function spawnServer(options: ServerProcessOptions): ServerProcess {
  const { guard } = options;
  const log = openSync(options.logFile, 'a', 0o600);
  // Detached, so that Ctrl-C in the terminal does not end the server before the services that use it have finished.
  const child = spawn(options.command, options.args, {
    stdio: ['ignore', log, log],
    detached: true,
    cwd: options.cwd,
    env: { PATH: process.env.PATH, LC_ALL: 'C', TZ: 'UTC' },
    ...options.account,
  });
  closeSync(log);
  const pid = child.pid ?? 0;
  if (pid > 0) guard.watch(pid, options.endSignal);
  let running = true;
  const exited = new Promise<string>((resolve) => {
    const done = (how: string): void => {
      running = false;
      if (pid > 0) guard.forget(pid);
      resolve(how);
    };
    child.once('error', (error) => done(error.message));
    child.once('exit', (code, signal) => done(signal === null ? `exit code ${code}` : `signal ${signal}`));
  });
  return {
    pid,
    exited,
    get running() {
      return running;
    },
    async end(signal, patienceMs) {
      if (!running) return;
      child.kill(signal);
      const timer = setTimeout(() => child.kill('SIGKILL'), patienceMs);
      await exited;
      clearTimeout(timer);
    },
  };
}

/** The end of a server's log, as the cause of an error. */
export function logTail(logFile: string): Error {
  try {
    return new Error(readFileSync(logFile, 'utf8').slice(-LOG_TAIL_CHARS).trim());
  } catch {
    return new Error(`there is no log at ${logFile}`);
  }
}
