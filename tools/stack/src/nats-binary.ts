// Finds a nats-server to run: on PATH, in the cache, or fetched once and kept there.
import { fetchFromApt, hasApt } from './apt';
import { fetchRelease, hasRelease } from './nats-release';
import { findProgram, type WayToFetch } from './program';
import { StackError } from './stack-error';

const PACKAGE = { package: 'nats-server', path: 'usr/sbin/nats-server' };

const WAYS_TO_FETCH: WayToFetch[] = [
  { name: 'the Debian package', possible: hasApt(), fetch: (folder) => fetchFromApt(folder, PACKAGE) },
  { name: 'the release of its vendor', possible: hasRelease(), fetch: (folder) => fetchRelease(folder) },
];

/** The path of a nats-server that runs on this machine; fetching it the first time takes a few seconds. */
export function findNatsServer(
  env: NodeJS.ProcessEnv,
  log: (sentence: string) => void,
  ways = WAYS_TO_FETCH,
): Promise<string> {
  return findProgram({ name: 'nats-server', ways, missing: natsMissing }, env, log);
}

/** The sentence for a machine on which no nats-server can be found or fetched. */
export function natsMissing(cause?: unknown): StackError {
  return new StackError(
    'No nats-server was found and none could be fetched; install nats-server 2.9 or newer so that it is on PATH, or set NATS_URL.',
    cause,
  );
}
