// Finds a program to run: on PATH, in the cache, or fetched once and kept there.
import { execFile } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { StackError } from './stack-error';

const VERSION_TIMEOUT_MS = 10_000;

export interface Program {
  /** Of its file, and in what it says of its version. */
  name: string;
  ways: WayToFetch[];
  /** The sentence for a machine on which it can neither be found nor fetched. */
  missing: (cause?: unknown) => StackError;
}

/** One way to fetch a program: `fetch` puts it below the folder and returns its path. */
export interface WayToFetch {
  name: string;
  possible: boolean;
  fetch(folder: string): Promise<string>;
}

/** The path of the program, which runs on this machine; fetching it the first time takes a few seconds. */
export async function findProgram(
  program: Program,
  env: NodeJS.ProcessEnv,
  log: (sentence: string) => void,
): Promise<string> {
  const { name } = program;
  for (const folder of (env.PATH ?? '').split(delimiter)) {
    const file = join(folder, name);
    if (folder !== '' && existsSync(file) && (await runs(file, name))) return file;
  }
  const cache = cacheFolder(env);
  const cached = join(cache, `${name}-${process.platform}-${process.arch}`);
  if (existsSync(cached) && (await runs(cached, name))) return cached;
  await fetchInto(cache, cached, log, program);
  return cached;
}

async function fetchInto(
  cache: string,
  target: string,
  log: (sentence: string) => void,
  { name, ways, missing }: Program,
): Promise<void> {
  // Fetched into the same folder and renamed: two processes may do it at once, and nobody sees a half-written file.
  let workFolder: string;
  try {
    mkdirSync(cache, { recursive: true });
    workFolder = mkdtempSync(join(cache, 'fetching-'));
  } catch (error) {
    throw new StackError(`The cache folder ${cache} cannot be written; set XDG_CACHE_HOME to one that can.`, error);
  }
  const failures: unknown[] = [];
  try {
    for (const way of ways) {
      if (!way.possible) continue;
      try {
        log(`Fetching ${name} from ${way.name}, once.`);
        const file = await way.fetch(workFolder);
        chmodSync(file, 0o755);
        if (!(await runs(file, name))) throw new Error(`${name} from ${way.name} does not run here`);
        renameSync(file, target);
        return;
      } catch (error) {
        failures.push(error);
      }
    }
  } finally {
    rmSync(workFolder, { recursive: true, force: true });
  }
  throw missing(new AggregateError(failures, `every way to fetch ${name} failed`));
}

function cacheFolder(env: NodeJS.ProcessEnv): string {
  return join(env.XDG_CACHE_HOME || join(env.HOME || homedir(), '.cache'), 'shop');
}

async function runs(file: string, name: string): Promise<boolean> {
  try {
    const { stdout, stderr } = await promisify(execFile)(file, ['--version'], { timeout: VERSION_TIMEOUT_MS });
    return `${stdout}${stderr}`.includes(name);
  } catch {
    return false;
  }
}
