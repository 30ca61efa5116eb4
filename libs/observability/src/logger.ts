/** One structured line per decision: JSON for machines, colours for people. */
import type { LoggerService } from '@nestjs/common';
import pino, { type Logger as PinoLogger } from 'pino';
import { LineWriter } from './line-writer';
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

const STDOUT = 1;

export function createLogger({ service, level, format, colour = true }: LoggerOptions): Logger {
  const options = {
    level,
    base: { service },
    timestamp: isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    messageKey: 'event',
    serializers: { err: describeError },
  };
  if (format === 'pretty') return pino(options, prettyStream(colour));
  const destination = new LineWriter(STDOUT);
  process.on('exit', () => destination.flushSync());
  return pino(options, destination);
}

/** One text per millisecond: lines come in batches. */
function isoTime(): string {
  const now = Date.now();
  if (now !== newest.at) newest = { at: now, text: `,"time":"${new Date(now).toISOString()}"` };
  return newest.text;
}
let newest = { at: 0, text: '' };

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
