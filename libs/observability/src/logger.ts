/** One structured line per decision: JSON for machines, colours for people. */
import type { LoggerService } from '@nestjs/common';
import pino, { type Logger as PinoLogger } from 'pino';
import { prettyStream } from './pretty';

export type Logger = PinoLogger;
export const logLevels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;
export type LogLevel = (typeof logLevels)[number];
export type LogFormat = 'json' | 'pretty';

export interface LoggerOptions {
  service: string;
  level: LogLevel;
  format: LogFormat;
  /** Colours in the readable format; default true. */
  colour?: boolean;
}

/** Lines are handed to the kernel in blocks of this size; below it, after FLUSH_INTERVAL_MS. */
const BUFFER_BYTES = 8_192;
const FLUSH_INTERVAL_MS = 100;

/** Lines are written in the background, so that a log line never waits for the terminal or the disk. */
export function createLogger({ service, level, format, colour = true }: LoggerOptions): Logger {
  const options = {
    level,
    base: { service },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    messageKey: 'event',
    serializers: { err: describeError },
  };
  if (format === 'pretty') return pino(options, prettyStream(colour));
  const destination = pino.destination({ fd: 1, sync: false, minLength: BUFFER_BYTES });
  flushWhenWritten(destination);
  process.on('exit', () => destination.flushSync());
  return pino(options, destination);
}

/** A timer runs only while lines wait, so that a service that has nothing to say is not woken. */
function flushWhenWritten(destination: ReturnType<typeof pino.destination>): void {
  let timer: NodeJS.Timeout | undefined;
  const write = destination.write.bind(destination);
  destination.write = (line: string) => {
    timer ??= setTimeout(() => {
      timer = undefined;
      destination.flush();
    }, FLUSH_INTERVAL_MS).unref();
    return write(line);
  };
}

/** Never an error's further fields: PostgreSQL puts the values of the failing row into one of them. */
function describeError(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const { name, message, stack, cause } = error;
  const { code } = error as { code?: unknown };
  return { name, message, code, stack, cause: cause === undefined ? undefined : describeError(cause) };
}

/** Lets Nest's own messages go through the same logger. */
export class NestLog implements LoggerService {
  constructor(private readonly logger: Logger) {}

  log(message: unknown, ...rest: unknown[]): void {
    this.write('debug', message, rest);
  }
  debug(message: unknown, ...rest: unknown[]): void {
    this.write('debug', message, rest);
  }
  verbose(message: unknown, ...rest: unknown[]): void {
    this.write('trace', message, rest);
  }
  warn(message: unknown, ...rest: unknown[]): void {
    this.write('warn', message, rest);
  }
  error(message: unknown, ...rest: unknown[]): void {
    this.write('error', message, rest);
  }
  fatal(message: unknown, ...rest: unknown[]): void {
    this.write('fatal', message, rest);
  }

  private write(level: Exclude<LogLevel, 'silent'>, message: unknown, rest: unknown[]): void {
    const context = rest.at(-1);
    const err = [message, ...rest].find((part) => part instanceof Error);
    const stack = rest.find((part): part is string => typeof part === 'string' && part.includes('\n    at '));
    const text = typeof message === 'string' ? message : err instanceof Error ? err.message : JSON.stringify(message);
    this.logger[level](
      { context: typeof context === 'string' && context !== stack ? context : undefined, err, stack },
      text,
    );
  }
}
