/** The console: the web page of operators, and the small server that stands between it and the services. */
import 'reflect-metadata';
import { join } from 'node:path';
import { createHttpApp } from '@shop/http';
import { runService } from '@shop/service';
import { createConsoleModule } from './console.module';
import type { ConsoleSettings } from './console-settings';
import { ConsoleEnvironment } from './environment';
import { parseAddresses } from './figures/addresses';
import { sessionSealer, unfitSecret } from './secret';

const PRODUCTION = 'production';

void runService({
  name: 'console',
  environment: ConsoleEnvironment,
  unfit: (environment) => unfitSecret(environment),
  build: (environment, logger) =>
    createHttpApp(
      createConsoleModule({ logger, settings: settingsOf(environment), sealer: sessionSealer(environment) }),
      { title: 'Console', description: 'The web page of operators.', logger, docs: false },
    ),
});

function settingsOf(environment: ConsoleEnvironment): ConsoleSettings {
  const { ORDER_URL, INVENTORY_URL, PAYMENT_URL, FULFILMENT_URL, CONSOLE_ORIGIN } = environment;
  return {
    urls: { order: ORDER_URL, inventory: INVENTORY_URL, payment: PAYMENT_URL, fulfilment: FULFILMENT_URL },
    origin: CONSOLE_ORIGIN,
    cookie: { secure: environment.NODE_ENV === PRODUCTION },
    metrics: parseAddresses(environment.CONSOLE_METRICS) ?? [],
    logDir: environment.CONSOLE_LOG_DIR,
    logUrl: environment.CONSOLE_LOG_URL,
    traceUrl: environment.CONSOLE_TRACE_URL,
    pageDir: join(__dirname, 'page'),
  };
}
