/** The sandbox: a payment provider for development that fails on request. */
import 'reflect-metadata';
import { createHttpApp } from '@shop/http';
import { runService, showsDocs } from '@shop/service';
import { SandboxEnvironment } from './environment';
import { createSandboxModule } from './sandbox.module';

void runService({
  name: 'sandbox',
  environment: SandboxEnvironment,
  build: (environment, logger) =>
    createHttpApp(createSandboxModule({ logger, file: environment.SANDBOX_FILE }), {
      title: 'Sandbox',
      description: 'A payment provider for development: speaks a part of the Stripe API and misbehaves on request.',
      logger,
      docs: showsDocs(environment),
    }),
});
