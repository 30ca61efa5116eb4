// Runs a program for a test: waits until it is ready, keeps its output, and never lets it outlive the test.
import { spawn, type ChildProcess } from 'node:child_process';
import { get } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { startGuard, type Guard } from '@shop/stack';

/** The end of the output matters most; a talkative service must not fill the memory of the test. */
const MAX_OUTPUT_CHARS = 262_144;
const OUTPUT_IN_ERRORS_CHARS = 4_000;
const READY_TIMEOUT_MS = 30_000;
const READY_POLL_MS = 25;
const CLOSE_PATIENCE_MS = 10_000;

/** The last lines may arrive a little after the end; a process that inherited the output may hold it open forever. */
const LAST_OUTPUT_PATIENCE_MS = 250;

export interface ProcessOptions {
  /** The name in errors. */
  name: string;
  command: string;
  args?: string[];
  /** The whole environment; `process.env` unless given. */
  env?: NodeJS.ProcessEnv;
  cwd?: string;
  /** Ready as soon as the output matches. */
  readyPattern?: RegExp;
  /** Ready as soon as a GET here answers 2xx; an http URL. */
  readyUrl?: string;
  readyTimeoutMs?: number;
}

export interface ProcessExit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

export interface RunningProcess {
  /** Of the current process, or of the last one. */
  readonly pid: number;
  readonly running: boolean;
  /** How the current process ends, or how the last one ended. */
  readonly exited: Promise<ProcessExit>;
  /** Standard output and standard error since the first start, as they came; only the end of it when it is long. */
  output(): string;
  /** Signals the process and everything it started. */
  kill(signal?: NodeJS.Signals): void;
  /** Ends it with the signal, SIGKILL unless given, starts it again and waits until it is ready. */
  restart(signal?: NodeJS.Signals): Promise<void>;
  /** Ends it, first with SIGTERM. */
  close(): Promise<void>;
}

/** Throws when the process ends, or the time is up, before it is ready; it does not run then. */
export async function startProcess(options: ProcessOptions): Promise<RunningProcess> {
  let output = '';
  let run = launch();
  await ready();

  function launch(): Run {
    return new Run(options, (text) => {
      output = (output + text).slice(-MAX_OUTPUT_CHARS);
    });
  }

  async function ready(): Promise<void> {
    const timeoutMs = options.readyTimeoutMs ?? READY_TIMEOUT_MS;
    const deadline = performance.now() + timeoutMs;
    // A program that cannot be started has no pid, and is not ready, whatever the error says.
    while (run.pid === 0 || !(await isReady(options, run.output))) {
      const late = performance.now() > deadline;
      if (run.running && !late) {
        await Promise.race([sleep(READY_POLL_MS), run.exited]);
        continue;
      }
      const how = late
        ? `was not ready after ${timeoutMs} ms`
        : `ended before it was ready (${describe(await run.exited)})`;
      await run.end('SIGKILL');
      throw new Error(`${options.name} ${how}; its output was: ${output.slice(-OUTPUT_IN_ERRORS_CHARS)}`);
    }
  }

  return {
    get pid() {
      return run.pid;
    },
    get running() {
      return run.running;
    },
    get exited() {
      return run.exited;
    },
    output: () => output,
    kill: (signal = 'SIGTERM') => run.kill(signal),
    async restart(signal = 'SIGKILL') {
      await run.end(signal);
      run = launch();
      await ready();
    },
    close: () => run.end('SIGTERM'),
  };
}

// One guard for all processes of a test file; it ends them if the test is killed.
let guard: Guard | undefined;
const guarded = new Set<number>();

/** One run of the process. */
class Run {
  readonly pid: number;
  readonly exited: Promise<ProcessExit>;
  running = true;
  output = '';
  private readonly child: ChildProcess;

  constructor(options: ProcessOptions, onOutput: (text: string) => void) {
    // The leader of a group of its own: a signal to the group also reaches what a shell or npx started.
    this.child = spawn(options.command, options.args ?? [], {
      cwd: options.cwd,
      env: options.env ?? process.env,
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    const hear = (chunk: Buffer): void => {
      const text = chunk.toString('utf8');
      this.output = (this.output + text).slice(-MAX_OUTPUT_CHARS);
      onOutput(text);
    };
    this.child.stdout?.on('data', hear);
    this.child.stderr?.on('data', hear);
    this.pid = this.child.pid ?? 0;
    if (this.pid > 0) keepWatch(this.pid);
    this.exited = new Promise((resolve) => {
      // A program that cannot be started says so here and never exits.
      this.child.once('error', (error) => {
        hear(Buffer.from(error.message));
        this.left({ code: null, signal: null }, resolve);
      });
      this.child.once('exit', (code, signal) => this.left({ code, signal }, resolve));
    });
  }

  kill(signal: NodeJS.Signals): void {
    if (this.pid > 0 && this.running) signalGroup(this.pid, signal);
  }

  async end(signal: NodeJS.Signals): Promise<void> {
    this.kill(signal);
    const timer = setTimeout(() => this.kill('SIGKILL'), CLOSE_PATIENCE_MS);
    await this.exited;
    clearTimeout(timer);
  }

  private left(exit: ProcessExit, resolve: (exit: ProcessExit) => void): void {
    this.running = false;
    // The leader is gone; the processes that it started must not stay.
    if (this.pid > 0) signalGroup(this.pid, 'SIGKILL');
    endWatch(this.pid);
    const timer = setTimeout(() => resolve(exit), LAST_OUTPUT_PATIENCE_MS);
    this.child.once('close', () => {
      clearTimeout(timer);
      resolve(exit);
    });
  }
}

function keepWatch(pid: number): void {
  guard ??= startGuard();
  guard.watch(-pid, 'SIGKILL');
  guarded.add(pid);
}

function endWatch(pid: number): void {
  guard?.forget(-pid);
  guarded.delete(pid);
  if (guarded.size > 0) return;
  void guard?.close();
  guard = undefined;
}

function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch (error) {
    // Nobody is left in the group; macOS says so in the second way.
    if (!['ESRCH', 'EPERM'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
  }
}

async function isReady(options: ProcessOptions, output: string): Promise<boolean> {
  if (options.readyPattern !== undefined && output.search(options.readyPattern) === -1) return false;
  return options.readyUrl === undefined || answers(options.readyUrl);
}

function answers(url: string): Promise<boolean> {
  return new Promise((resolve) => {
    // Without an agent, so that no keep-alive connection stays open.
    const request = get(url, { agent: false, timeout: 1_000 }, (response) => {
      response.resume();
      resolve(Math.floor((response.statusCode ?? 0) / 100) === 2);
    });
    request.once('timeout', () => request.destroy());
    request.once('error', () => resolve(false));
  });
}

function describe(exit: ProcessExit): string {
  return exit.signal === null ? `exit code ${exit.code}` : `signal ${exit.signal}`;
}
