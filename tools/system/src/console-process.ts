/** The console as a process beside the services: where it finds them, their metrics and their log. */
import { appendFileSync, mkdtempSync, rmSync, statSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomBytes } from 'node:crypto';
import type { Guard } from '@shop/stack';
import { ServiceProcess, type ServiceProcessOptions } from './service-process';
import { urlOf } from './service-variables';
import type { ServiceName } from './services';

/** Of each service. What is older is nothing for a console of development. */
const MAX_LOG_BYTES = 16 * 1_024 * 1_024;

export interface ConsoleSurroundings {
  port: number;
  managementPort: number;
  /** Those of the services. */
  urls: Record<ServiceName, string>;
  managementUrls: Record<ServiceName, string>;
  env: Record<string, string>;
  logFolder: string;
  guard: Guard;
  output: ServiceProcessOptions['output'];
  onCrash: (how: string) => void;
}

export function createConsole(given: ConsoleSurroundings): ServiceProcess {
  const { port, managementPort, urls, managementUrls, env, logFolder, guard, output, onCrash } = given;
  const addresses = Object.entries(urls).map(([name, url]) => [`${name.toUpperCase()}_URL`, url]);
  return new ServiceProcess({
    name: 'console',
    url: urlOf(port),
    managementUrl: urlOf(managementPort),
    guard,
    output,
    onCrash,
    env: {
      ...(Object.fromEntries(addresses) as Record<string, string>),
      CONSOLE_METRICS: Object.entries(managementUrls)
        .map(([name, url]) => `${name}=${url}`)
        .join(),
      CONSOLE_LOG_DIR: logFolder,
      // Sessions outlive a start of it.
      CONSOLE_SECRET: randomBytes(32).toString('hex'),
      ...env,
      CONSOLE_PORT: String(port),
      MANAGEMENT_PORT: String(managementPort),
    },
  });
}

/** Keeps what services log in a folder, a file for each of them. */
export class LogFolder {
  readonly path = mkdtempSync(join(tmpdir(), 'shop-log-'));

  write(name: string, text: string): void {
    const file = join(this.path, `${name}.log`);
    appendFileSync(file, text);
    if (statSync(file).size > MAX_LOG_BYTES) truncateSync(file);
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}
