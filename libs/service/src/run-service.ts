/** The life of the process of a service: environment, start, ready, orderly stop. */
import { setTimeout as pause } from 'node:timers/promises';
import type { INestApplication } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { listenForManagement, Readiness } from '@shop/http';
import { createLogger, type Logger, printableLines, startTracingIfWanted, type Tracing } from '@shop/observability';
import { faultOf } from '@shop/postgres';
import { type ProcessEnvironment, readEnvironment } from './environment';
import { PRODUCTION } from './production';

/** The variable of the port is named after the service: `ORDER_PORT` for `order`. */
export type PortOf<Name extends string> = Record<`${Uppercase<Name>}_PORT`, number>;

export interface ServiceOptions<Name extends string, Environment extends ProcessEnvironment> {
  name: Name;
  environment: new () => Environment & PortOf<Name>;
  build: (environment: Environment, logger: Logger) => Promise<NestFastifyApplication>;
  /** Why it must not start in production with these settings, one reason each. */
  unfit?: (environment: Environment) => string[];
  /** What the process does instead of a service, if anything. Then it ends. */
  insteadOf?: (environment: Environment, logger: Logger) => Promise<void> | undefined;
}

/**
 * The number of clients that may connect at the same time; the kernel may allow fewer. With Node's own 511, a crowd of
 * clients is turned away for seconds.
 */
const LISTEN_BACKLOG = 4_096;
/** Behind the grace, a stop that takes longer than this waits for something that will not end. */
const STOP_TIMEOUT_MS = 20_000;

export async function runService<Name extends string, Environment extends ProcessEnvironment>(
  options: ServiceOptions<Name, Environment>,
): Promise<void> {
  const environment = readOrExit(options.name, options.environment);
  refuseUnfit(options, environment);
  // Before the log, whose lines then name the spans.
  const tracing = await startTracingIfWanted(process.env, { service: options.name });
  const logger = createLogger({
    service: options.name,
    level: environment.LOG_LEVEL,
    format: environment.LOG_FORMAT,
    colour: process.env['NO_COLOR'] === undefined,
  });
  tracing?.tellTo(logger);
  const { variable, value } = ownSetting(environment, options.name, 'PORT');
  const port = value as number;
  let listening = `${variable} ${port}`;
  const started: Started = { tracing };
  stopOnSignal(started, environment.STOP_GRACE_MS, logger);
  try {
    const task = options.insteadOf?.(environment, logger);
    if (task) return await endWith(task);
    const app = await options.build(environment, logger);
    started.app = app;
    await app.startAllMicroservices();
    await app.listen({ port, host: environment.HOST, backlog: LISTEN_BACKLOG });
    const { MANAGEMENT_PORT, MANAGEMENT_HOST } = environment;
    listening = `MANAGEMENT_PORT ${MANAGEMENT_PORT}`;
    const readiness = app.get(Readiness, { strict: false });
    const managementUrl = await listenForManagement(readiness, MANAGEMENT_PORT, MANAGEMENT_HOST);
    logger.info({ url: await app.getUrl(), managementUrl }, 'service.ready');
  } catch (error) {
    exitWith(`${options.name} cannot start: ${reasonOf(error, listening)}`);
  }
}

interface Started {
  app?: INestApplication;
  tracing?: Tracing;
}

async function endWith(task: Promise<void>): Promise<never> {
  await task;
  process.exit(0);
}

/** The variable with the name of the service in it, such as `ORDER_PORT`. */
export function ownSetting(environment: object, name: string, what: string): { variable: string; value: unknown } {
  const variable = `${name.toUpperCase()}_${what}`;
  return { variable, value: (environment as Record<string, unknown>)[variable] };
}

function readOrExit<Environment extends object>(name: string, environment: new () => Environment): Environment {
  try {
    return readEnvironment(environment, process.env);
  } catch (error) {
    exitWith(`${name} cannot start: ${(error as Error).message}`);
  }
}

function refuseUnfit<Name extends string, Environment extends ProcessEnvironment>(
  { name, unfit }: ServiceOptions<Name, Environment>,
  environment: Environment,
): void {
  const reasons = environment.NODE_ENV === PRODUCTION ? (unfit?.(environment) ?? []) : [];
  if (reasons.length === 0) return;
  exitWith(`${name} cannot start: NODE_ENV is ${PRODUCTION}, and this is for development only: ${reasons.join('; ')}`);
}

function exitWith(sentence: string): never {
  process.stderr.write(`${printableLines(sentence)}\n`);
  process.exit(1);
}

/** An error that an operator can fix is one sentence. Any other error comes with its stack. */
function reasonOf(error: unknown, port: string): string {
  const { code, message, stack } = error as NodeJS.ErrnoException;
  if (code === 'EADDRINUSE') return `port ${port} is taken; set it to a free one`;
  if (faultOf(error) === 'away') return `the database cannot be reached (${message})`;
  if (code !== undefined) return message;
  return error instanceof Error ? (stack ?? message) : String(error);
}

/**
 * The order of a stop: it is not ready and pulls no more messages; for a grace, requests are still taken, because those
 * who send them have to learn it first; then the requests and messages in hand are finished; then the background tasks
 * end, the connections, and last the traces. No step waits for ever. If the start still waits for something, the process
 * just ends.
 */
function stopOnSignal(started: Started, graceMs: number, logger: Logger): void {
  let stopping = false;
  const stop = async (signal: string) => {
    if (stopping) return;
    stopping = true;
    logger.info({ signal }, 'service.stopping');
    setTimeout(() => exitLate(logger), graceMs + STOP_TIMEOUT_MS).unref();
    const { app } = started;
    if (app) {
      app.get(Readiness, { strict: false }).leave();
      await pause(graceMs);
      await app.close();
    }
    await started.tracing?.stop();
    process.exit(0);
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => void stop(signal));
}

function exitLate(logger: Logger): void {
  logger.error('service.stop.late');
  process.exit(1);
}
