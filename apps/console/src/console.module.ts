/** Wires the console: sessions, what is passed on, figures, logs and the page. */
import { type DynamicModule, Module } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { createHealthModule, MetricsModule } from '@shop/http';
import type { Logger } from '@shop/observability';
import type { Sealer } from '@shop/sealing';
import { LOGGER } from '@shop/service';
import { wallClock } from './clock';
import { ConsoleSettings } from './console-settings';
import { Collector } from './figures/collector';
import { FiguresController } from './figures/figures.controller';
import { LogsController } from './logs/logs.controller';
import { PageController } from './serving/page.controller';
import { ApiController } from './passing/api.controller';
import { Streams } from './passing/streams';
import { Upstream } from './passing/upstream';
import { SessionController } from './session/session.controller';
import { Sessions } from './session/session';
import { SessionGuard } from './session/session.guard';
import { SignIn } from './session/sign-in';

export interface ConsoleOptions {
  logger: Logger;
  settings: ConsoleSettings;
  sealer: Sealer;
  /** Milliseconds of the time of day. */
  now?: () => number;
}

@Module({})
class ConsoleModule {}

export function createConsoleModule({ logger, settings, sealer, now = wallClock }: ConsoleOptions): DynamicModule {
  return {
    module: ConsoleModule,
    // It is ready when it runs: an operator needs it most when everything else is away.
    imports: [MetricsModule, createHealthModule({ inject: [], useFactory: () => [] })],
    controllers: [SessionController, ApiController, FiguresController, LogsController, PageController],
    providers: [
      { provide: LOGGER, useValue: logger },
      { provide: ConsoleSettings, useValue: Object.assign(new ConsoleSettings(), settings) },
      { provide: Sessions, useFactory: () => new Sessions(sealer, now) },
      { provide: APP_GUARD, useClass: SessionGuard },
      Collector,
      SignIn,
      Streams,
      Upstream,
    ],
  };
}
