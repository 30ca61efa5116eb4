// The folder in which a stack keeps its data: a given folder stays, a temporary one is deleted when the stack stops.
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isAlive } from './is-alive';
import { StackError } from './stack-error';
import { canReach, unprivilegedAccount } from './unprivileged';

/** After a crash, the guard of the earlier stack needs a moment to end its servers. */
const IN_USE_PATIENCE_MS = 3_000;

export interface DataDir {
  readonly path: string;
  readonly temporary: boolean;
}

export async function openDataDir(given: string | undefined): Promise<DataDir> {
  if (given === undefined) return { path: makeTemporary(), temporary: true };
  const path = resolve(given);
  const account = unprivilegedAccount();
  try {
    const made = mkdirSync(path, { recursive: true });
    // Whatever the umask is, the account of PostgreSQL must be able to enter the folder.
    if (made !== undefined && account !== undefined) chmodSync(path, 0o711);
  } catch (error) {
    throw new StackError(`The data folder ${path} cannot be made; choose one that can be written.`, error);
  }
  if (!canReach(account, path)) throw unreachable(path);
  await assertNotInUse(path);
  return { path, temporary: false };
}

export function removeDataDir(path: string): void {
  // Servers that were killed may still be closing files; a few retries cover that.
  rmSync(path, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
}

function makeTemporary(): string {
  const account = unprivilegedAccount();
  for (const parent of [tmpdir(), '/tmp', '/var/tmp']) {
    let path: string;
    try {
      path = mkdtempSync(join(parent, 'shop-stack-'));
    } catch {
      continue;
    }
    // The account of PostgreSQL must be able to enter the folder, but need not list it.
    if (account !== undefined) chmodSync(path, 0o711);
    if (canReach(account, path)) return path;
    rmSync(path, { recursive: true });
  }
  throw unreachable(tmpdir());
}

// Two servers on the same files would destroy them. PostgreSQL protects its own files; this protects those of NATS.
async function assertNotInUse(path: string): Promise<void> {
  const deadline = performance.now() + IN_USE_PATIENCE_MS;
  while (isAlive(postmasterPid(path))) {
    if (performance.now() > deadline) {
      throw new StackError(
        `The data folder ${path} is in use by another stack; stop that one or choose another folder.`,
      );
    }
    await sleep(100);
  }
}

function postmasterPid(path: string): number {
  try {
    return Number.parseInt(readFileSync(join(path, 'postgres', 'postmaster.pid'), 'utf8'), 10);
  } catch {
    return 0;
  }
}

function unreachable(path: string): StackError {
  return new StackError(
    `The folder ${path} cannot be entered by the unprivileged account that runs PostgreSQL for root; choose another data folder or do not run as root.`,
  );
}
