/** The life of a service's process: environment, start, ready, orderly stop. */
import type { INestApplication } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { createLogger, type Logger } from '@shop/observability';
import { type ProcessEnvironment, readEnvironment } from './environment';

export interface ServiceOptions<Environment extends ProcessEnvironment> {
  name: string;
  environment: new () => Environment;
  port: (environment: Environment) => number;
  build: (environment: Environment, logger: Logger) => Promise<NestFastifyApplication>;
}

/** A stop that takes longer than this has met something that will not end. */
const STOP_TIMEOUT_MS = 20_000;

export async function runService<Environment extends ProcessEnvironment>(
  options: ServiceOptions<Environment>,
): Promise<void> {
  const environment = readOrExit(options);
  const logger = createLogger({
    service: options.name,
    level: environment.LOG_LEVEL,
    format: environment.LOG_FORMAT,
    colour: process.env['NO_COLOR'] === undefined,
  });
  try {
    const app = await options.build(environment, logger);
    stopOnSignal(app, logger);
    await app.startAllMicroservices();
    await app.listen(options.port(environment), environment.HOST);
    logger.info({ url: await app.getUrl() }, 'service.ready');
  } catch (error) {
    exitWith(`${options.name} cannot start: ${reasonOf(error, options.port(environment))}`);
  }
}

function readOrExit<Environment extends ProcessEnvironment>({
  name,
  environment,
}: ServiceOptions<Environment>): Environment {
  try {
    return readEnvironment(environment, process.env);
  } catch (error) {
    exitWith(`${name} cannot start: ${(error as Error).message}`);
  }
}

function exitWith(sentence: string): never {
  process.stderr.write(`${sentence}\n`);
  process.exit(1);
}

function reasonOf(error: unknown, port: number): string {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'EADDRINUSE') return `port ${port} is taken; set another one`;
  if (code === 'ECONNREFUSED') return `the database cannot be reached (${message})`;
  return error instanceof Error ? (error.stack ?? message) : String(error);
}

/** Stops taking work, finishes what is in hand, closes, exits. */
function stopOnSignal(app: INestApplication, logger: Logger): void {
  let stopping = false;
  const stop = async (signal: string) => {
    if (stopping) return;
    stopping = true;
    logger.info({ signal }, 'service.stopping');
    setTimeout(() => process.exit(1), STOP_TIMEOUT_MS).unref();
    await app.close();
    process.exit(0);
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => void stop(signal));
}
