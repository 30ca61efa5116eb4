/** The sandbox: a payment provider for development that fails on request. */
import 'reflect-metadata';
import { createHttpApp } from '@shop/http';
import { runService } from '@shop/service';
import { SandboxEnvironment } from './environment';
import { createSandboxModule } from './sandbox.module';

void runService({
  name: 'sandbox',
  environment: SandboxEnvironment,
  build: ({ SANDBOX_FILE }, logger) =>
    createHttpApp(createSandboxModule({ logger, file: SANDBOX_FILE }), {
      title: 'Sandbox',
      description: 'A payment provider for development: speaks a part of the Stripe API and misbehaves on request.',
      logger,
    }),
});
