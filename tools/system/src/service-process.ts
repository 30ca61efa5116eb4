/** One service as a process of its own: start, readiness, kill, restart, orderly stop. */
import { type ChildProcess, spawn } from 'node:child_process';
import { basename, join, sep } from 'node:path';
import { printableLines } from '@shop/observability';
import { type Guard, StackError } from '@shop/stack';

export interface ServiceProcessOptions {
  name: string;
  url: string;
  /** Where its metrics are, and the reasons why it is not ready. */
  managementUrl: string;
  env: Record<string, string>;
  nodeOptions?: string[];
  guard: Guard;
  /** Where its log goes: our own output, or a function that gets each piece of it and its process. */
  output: 'inherit' | ((text: string, pid: number) => void);
  /** Called when it ends by itself. */
  onCrash?: (how: string) => void;
}

/** Services start side by side, also on a machine with more to do. */
const READY_TIMEOUT_MS = 90_000;
const READY_INTERVAL_MS = 50;
/** Longer than a service takes by its own limits. */
const STOP_TIMEOUT_MS = 30_000;
/** The last lines of a service that did not start, for the error message. */
const TAIL_CHARACTERS = 2_000;

/** The built services, whether this file runs from its source (in tests) or from the build. */
const HERE = __dirname.split(sep);
const ROOT = HERE.slice(0, HERE.lastIndexOf('tools')).join(sep);
const DIST = basename(ROOT) === 'dist' ? ROOT : join(ROOT, 'dist');

export class ServiceProcess {
  private child?: ChildProcess;
  private expectedEnd = false;
  private tail = '';

  constructor(private readonly options: ServiceProcessOptions) {}

  get pid(): number | undefined {
    return this.child?.pid;
  }

  get name(): string {
    return this.options.name;
  }

  get url(): string {
    return this.options.url;
  }

  get managementUrl(): string {
    return this.options.managementUrl;
  }

  /** Spawns it and waits until it is ready for work. */
  async start(): Promise<void> {
    const { name, env, guard, output, nodeOptions = [] } = this.options;
    this.expectedEnd = false;
    // A process group of its own: Ctrl-C in the terminal reaches only us, and we stop it in order.
    const child = spawn(
      process.execPath,
      ['--enable-source-maps', ...nodeOptions, join(DIST, 'apps', name, 'main.js')],
      {
        env: { PATH: process.env['PATH'], ...env },
        detached: true,
        stdio: ['ignore', output === 'inherit' ? 'inherit' : 'pipe', 'pipe'],
      },
    );
    this.child = child;
    const pid = child.pid!;
    guard.watch(pid, 'SIGTERM');
    const keep = (text: Buffer) => {
      this.tail = (this.tail + text.toString()).slice(-TAIL_CHARACTERS);
      // The last words of a process, which may repeat what others wrote.
      if (output === 'inherit') process.stderr.write(printableLines(text.toString()));
      else output(text.toString(), pid);
    };
    child.stdout?.on('data', keep);
    child.stderr?.on('data', keep);
    child.on('exit', (code, signal) => {
      guard.forget(pid);
      if (this.child === child) this.child = undefined;
      if (!this.expectedEnd) this.options.onCrash?.(signal ?? `code ${code}`);
    });
    await this.untilReady(child);
  }

  /** Kills it and waits until it has ended. Returns its exit code, or null if a signal has ended it. */
  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<number | null> {
    const child = this.child;
    if (!child) return null;
    this.expectedEnd = true;
    const gone = new Promise<number | null>((resolve) => child.once('exit', resolve));
    child.kill(signal);
    return gone;
  }

  /** Lets it finish the work that it has begun. Returns its exit code, or null if it had to be killed. */
  async stop(): Promise<number | null> {
    const child = this.child;
    if (!child) return null;
    const late = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
    const code = await this.kill('SIGTERM');
    clearTimeout(late);
    return code;
  }

  private async untilReady(child: ChildProcess): Promise<void> {
    const deadline = performance.now() + READY_TIMEOUT_MS;
    while (performance.now() < deadline) {
      if (child.exitCode !== null || child.signalCode !== null) {
        throw new StackError(this.tail.trim() || `${this.name} ended before it was ready.`);
      }
      const ready = await fetch(`${this.url}/health/ready`).then(
        (response) => response.ok,
        () => false,
      );
      if (ready) return;
      await new Promise((resolve) => setTimeout(resolve, READY_INTERVAL_MS));
    }
    throw new StackError(
      `${this.name} was not ready after ${READY_TIMEOUT_MS / 1_000} s; its log says why.\n${this.tail}`,
    );
  }
}
