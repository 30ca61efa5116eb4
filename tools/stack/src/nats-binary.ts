// Finds a nats-server to run: on PATH, in the cache, or fetched once and kept there.
import { execFile } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { fetchFromApt, hasApt } from './nats-apt';
import { fetchRelease, hasRelease } from './nats-release';
import { StackError } from './stack-error';

const VERSION_TIMEOUT_MS = 10_000;

/** One way to fetch a nats-server: `fetch` puts it below the folder and returns its path. */
export interface WayToFetch {
  name: string;
  possible: boolean;
  fetch(folder: string): Promise<string>;
}

const WAYS_TO_FETCH: WayToFetch[] = [
  { name: 'the Debian package', possible: hasApt(), fetch: fetchFromApt },
  { name: 'the release of its vendor', possible: hasRelease(), fetch: (folder) => fetchRelease(folder) },
];

/** The path of a nats-server that runs on this machine; fetching it the first time takes a few seconds. */
export async function findNatsServer(
  env: NodeJS.ProcessEnv,
  log: (sentence: string) => void,
  ways = WAYS_TO_FETCH,
): Promise<string> {
  for (const folder of (env.PATH ?? '').split(delimiter)) {
    const file = join(folder, 'nats-server');
    if (folder !== '' && existsSync(file) && (await runs(file))) return file;
  }
  const cache = cacheFolder(env);
  const cached = join(cache, `nats-server-${process.platform}-${process.arch}`);
  if (existsSync(cached) && (await runs(cached))) return cached;
  await fetchInto(cache, cached, log, ways);
  return cached;
}

/** The sentence for a machine on which no nats-server can be found or fetched. */
export function natsMissing(cause?: unknown): StackError {
  return new StackError(
    'No nats-server was found and none could be fetched; install nats-server 2.9 or newer so that it is on PATH, or set NATS_URL.',
    cause,
  );
}

async function fetchInto(
  cache: string,
  target: string,
  log: (sentence: string) => void,
  ways: WayToFetch[],
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
        log(`Fetching nats-server from ${way.name}, once.`);
        const file = await way.fetch(workFolder);
        chmodSync(file, 0o755);
        if (!(await runs(file))) throw new Error(`nats-server from ${way.name} does not run here`);
        renameSync(file, target);
        return;
      } catch (error) {
        failures.push(error);
      }
    }
  } finally {
    rmSync(workFolder, { recursive: true, force: true });
  }
  throw natsMissing(new AggregateError(failures, 'every way to fetch nats-server failed'));
}

function cacheFolder(env: NodeJS.ProcessEnv): string {
  return join(env.XDG_CACHE_HOME || join(env.HOME || homedir(), '.cache'), 'shop');
}

async function runs(file: string): Promise<boolean> {
  try {
    const { stdout } = await promisify(execFile)(file, ['--version'], { timeout: VERSION_TIMEOUT_MS });
    return stdout.includes('nats-server');
  } catch {
    return false;
  }
}
