// Finds Prometheus and its promtool for the tests of the rules: on PATH, in the cache, or fetched once and kept there.
import { fetchFromApt, hasApt } from './apt';
import { findProgram } from './program';
import { StackError } from './stack-error';

/** The server, and what tests its rules without it. Both are in the Debian package `prometheus`. */
export type PrometheusProgram = 'prometheus' | 'promtool';

/** The path of the program; fetching it the first time takes a few seconds. */
export function findPrometheus(
  name: PrometheusProgram,
  env: NodeJS.ProcessEnv = process.env,
  log: (sentence: string) => void = () => undefined,
): Promise<string> {
  const fetch = (folder: string) => fetchFromApt(folder, { package: 'prometheus', path: `usr/bin/${name}` });
  const ways = [{ name: 'the Debian package', possible: hasApt(), fetch }];
  return findProgram({ name, ways, missing: (cause) => prometheusMissing(name, cause) }, env, log);
}

function prometheusMissing(name: PrometheusProgram, cause?: unknown): StackError {
  return new StackError(
    `No ${name} was found and none could be fetched; install Prometheus 2.42 or newer so that ${name} is on PATH.`,
    cause,
  );
}
