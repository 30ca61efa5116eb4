// Fetches a program from the Debian or Ubuntu archive without installing it and without touching the machine's apt.
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** The package lists of a whole distribution may have to be fetched first, over a slow connection. */
const TIMEOUT_MS = 180_000;

export function hasApt(): boolean {
  return process.platform === 'linux' && existsSync('/usr/bin/apt-get') && existsSync('/usr/bin/dpkg-deb');
}

/** A package of Debian and Ubuntu, and where a program is in it. */
export interface AptProgram {
  package: string;
  path: string;
}

/** Puts the program somewhere below `folder` and returns its path. */
export async function fetchFromApt(folder: string, wanted: AptProgram): Promise<string> {
  // As root, apt would change to an account of its own, which cannot write to a private folder.
  const common = process.getuid?.() === 0 ? ['-o', 'APT::Sandbox::User=root'] : [];
  common.push('-o', 'Acquire::Retries=2', '-o', 'Acquire::http::Timeout=20');
  const apt = (...args: string[]) => run('/usr/bin/apt-get', args, { cwd: folder, timeout: TIMEOUT_MS });
  try {
    await apt(...common, 'download', wanted.package);
  } catch {
    // The machine has no package lists, as in most container images, or old ones: fetch lists into a folder of our own.
    const ownLists = [...common, ...privateState(folder)];
    // One broken source among several makes the update fail although our package is there; the download decides.
    await apt(...ownLists, 'update').catch(() => undefined);
    await apt(...ownLists, 'download', wanted.package);
  }
  const archive = readdirSync(folder).find((name) => name.startsWith(`${wanted.package}_`) && name.endsWith('.deb'));
  if (archive === undefined) throw new Error('apt-get downloaded no package');
  await run('/usr/bin/dpkg-deb', ['-x', join(folder, archive), join(folder, 'unpacked')], { timeout: TIMEOUT_MS });
  return join(folder, 'unpacked', wanted.path);
}

function privateState(folder: string): string[] {
  const state = join(folder, 'apt-state');
  const cache = join(folder, 'apt-cache');
  mkdirSync(join(state, 'lists', 'partial'), { recursive: true });
  mkdirSync(join(cache, 'archives', 'partial'), { recursive: true });
  const options = [`Dir::State=${state}`, `Dir::Cache=${cache}`, 'Dir::State::status=/var/lib/dpkg/status'];
  return options.flatMap((option) => ['-o', option]);
}
