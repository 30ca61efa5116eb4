/** Writes one structured line for each decision: JSON for machines, colours for people. */
import type { LoggerService } from '@nestjs/common';
import pino, { type Logger as PinoLogger } from 'pino';
import { SonicBoom } from 'sonic-boom';
import { describeError, lineOf } from './fields';
import { harmless, prettyStream } from './pretty';
import { printableJson } from './printable';
import { currentSpan, isTracing } from './spans';

export type Logger = PinoLogger;
export const logLevels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;
export type LogLevel = (typeof logLevels)[number];
export type LogFormat = 'json' | 'pretty';

export interface LoggerOptions {
  service: string;
  level: LogLevel;
  format: LogFormat;
  /** Colours in the readable format. The default is true. */
  colour?: boolean;
}

const STDOUT = 1;
/**
 * Lines are written in blocks of this size, or after this time. One write for each line costs several times as much as
 * the line.
 */
const BLOCK_BYTES = 4_096;
const FLUSH_INTERVAL_MS = 100;
/** When nobody reads the output, at most this much of it waits. Later lines are dropped, and their number is logged. */
const MAX_WAITING_BYTES = 16 * 1_024 * 1_024;

export function createLogger({ service, level, format, colour = true }: LoggerOptions): Logger {
  const options = {
    level,
    base: { service },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }), log: lineOf },
    messageKey: 'event',
    // The line is part of what is going on. A line that names another trace keeps that one.
    mixin: isTracing() ? () => currentSpan()?.ids ?? {} : undefined,
    serializers: { err: (error: unknown) => describeError(error) },
    // Here nobody can forget it: all lines come by. What others wrote is in many of them.
    hooks: { streamWrite: format === 'pretty' ? harmless : printableJson },
  };
  // A stream works even if nobody ever writes to it: ten times a second.
  if (level === 'silent') return pino(options, { write: () => undefined });
  if (format === 'pretty') return pino(options, prettyStream(colour));
  const destination = openStdout();
  const logger = pino(options, destination);
  tellOfDropped(destination, logger);
  return logger;
}

/**
 * Lines are written in the background, so that no caller waits for a terminal, disk or pipe. The stream is opened here
 * and not by `pino.destination`. That one uses an older stream, which never lets the process end when nobody reads its
 * last lines.
 */
function openStdout(): SonicBoom {
  const destination = new SonicBoom({
    fd: STDOUT,
    sync: false,
    minLength: BLOCK_BYTES,
    periodicFlush: FLUSH_INTERVAL_MS,
    maxLength: MAX_WAITING_BYTES,
  });
  // A closed reader or a full disk is no reason to stop the service. The next line is written again.
  destination.on('error', () => undefined);
  process.on('exit', () => {
    try {
      destination.flushSync();
    } catch {
      // Nobody reads the output any more.
    }
  });
  return destination;
}

function tellOfDropped(destination: SonicBoom, logger: Logger): void {
  let dropped = 0;
  destination.on('drop', () => dropped++);
  destination.on('drain', () => {
    if (dropped === 0) return;
    const count = dropped;
    dropped = 0;
    logger.warn({ count }, 'log.lines-dropped');
  });
}

/** The context of an error that Nest both logs and throws. */
const FAILED_START = 'ExceptionHandler';

/** Sends the messages of Nest through the same logger. */
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
    // Whoever starts the app gets this error thrown, and says it in a way that fits.
    if (context === FAILED_START) return;
    const err = [message, ...rest].find((part) => part instanceof Error);
    const stack = rest.find((part): part is string => typeof part === 'string' && part.includes('\n    at '));
    const text = typeof message === 'string' ? message : err instanceof Error ? err.message : JSON.stringify(message);
    this.logger[level](
      { context: typeof context === 'string' && context !== stack ? context : undefined, err, stack },
      text,
    );
  }
}
