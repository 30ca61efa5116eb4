/** The log lines about a saga, and where else logs and traces are shown. */
import { Controller, Get, Inject, Query } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { Logger } from '@shop/observability';
import { Problem } from '@shop/problem';
import { LOGGER } from '@shop/service';
import { Matches } from 'class-validator';
import { ConsoleSettings } from '../console-settings';
import { SignedIn } from '../session/session.guard';
import { linesAbout, type LogLine } from './log-tail';

class LogsQuery {
  /** Ids, with commas: of a saga, an order, a trace. */
  @Matches(/^[\w-]{8,64}(,[\w-]{8,64}){0,4}$/, { message: 'ids must be up to five ids with commas' })
  ids: string;
}

/** What the page is told when it opens. */
export interface PageSettings {
  hasLogs: boolean;
  hasFigures: boolean;
  logUrl: string | null;
  traceUrl: string | null;
}

@ApiExcludeController()
@SignedIn()
@Controller()
export class LogsController {
  constructor(
    private readonly settings: ConsoleSettings,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  @Get('settings')
  show(): PageSettings {
    const { logDir, logUrl = null, traceUrl = null, metrics } = this.settings;
    return { hasLogs: logDir !== undefined, hasFigures: metrics.length > 0, logUrl, traceUrl };
  }

  @Get('logs')
  @SignedIn('platform')
  async lines(@Query() { ids }: LogsQuery): Promise<{ lines: LogLine[] }> {
    const { logDir } = this.settings;
    if (logDir === undefined) throw new Problem(404, 'no_logs', 'the console was not told where the logs are');
    try {
      return { lines: await linesAbout(logDir, ids.split(',')) };
    } catch (error) {
      this.logger.warn({ err: error }, 'console.logs.unreadable');
      throw new Problem(503, 'logs_unreadable', 'the log files cannot be read right now');
    }
  }
}
