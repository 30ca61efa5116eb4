/** The sandbox: the world outside for development, such as a payment provider and a mail server, that fails on request. */
import 'reflect-metadata';
import { createHttpApp } from '@shop/http';
import type { Logger } from '@shop/observability';
import { runService, showsDocs } from '@shop/service';
import { SandboxEnvironment } from './environment';
import { createSandboxModule, type SandboxOptions } from './sandbox.module';

void runService({
  name: 'sandbox',
  environment: SandboxEnvironment,
  build: (environment, logger) =>
    createHttpApp(createSandboxModule(optionsOf(environment, logger)), {
      title: 'Sandbox',
      description: 'A payment provider for development: speaks a part of the Stripe API and misbehaves on request.',
      logger,
      docs: showsDocs(environment),
    }),
});

function optionsOf(environment: SandboxEnvironment, logger: Logger): SandboxOptions {
  const { SANDBOX_FILE, SANDBOX_PUBLIC_URL, SANDBOX_WEBHOOK_URL: url, SANDBOX_WEBHOOK_SECRET: secret } = environment;
  const webhooks = url !== undefined && secret !== undefined ? { url, secret } : undefined;
  const smtp = { port: environment.SANDBOX_SMTP_PORT, host: environment.HOST };
  const { SANDBOX_CARRIER_WEBHOOK_URL: carrierUrl, SANDBOX_CARRIER_WEBHOOK_SECRET: carrierSecret } = environment;
  return {
    logger,
    file: SANDBOX_FILE,
    publicUrl: SANDBOX_PUBLIC_URL?.replace(/\/$/, ''),
    webhooks,
    smtp,
    carrier: {
      deliverySeconds: environment.SANDBOX_DELIVERY_SECONDS,
      webhooks:
        carrierUrl !== undefined && carrierSecret !== undefined
          ? { url: carrierUrl, secret: carrierSecret }
          : undefined,
    },
  };
}
