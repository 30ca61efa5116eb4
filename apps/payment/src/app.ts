/** Puts the payment service together. */
import { Module } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { createHttpApp, parseApiKeys } from '@shop/http';
import { ledgerMigrations } from '@shop/idempotency';
import { JetStreamServer, messagingMigrations } from '@shop/messaging';
import type { Logger } from '@shop/observability';
import { ServiceModule } from '@shop/service';
import type { PaymentEnvironment } from './environment';
import { paymentMigrations } from './migrations';
import { CommandsController } from './payments/commands.controller';
import { CreatePayment } from './payments/create-payment';
import { PaymentCommands } from './payments/payment-commands';
import { PaymentsController } from './payments/payments.controller';
import { PROVIDER, type Provider } from './payments/provider';
import { SimulatedProvider } from './payments/simulated.provider';
import { StripeProvider } from './payments/stripe.provider';
import { CreateRefund } from './refunds/create-refund';
import { RefundsController } from './refunds/refunds.controller';

/** Less than half a lease, so that a call that is still out when its lease ends is rare. */
const PROVIDER_TIMEOUT_MS = 4_000;

export async function buildPaymentApp(
  environment: PaymentEnvironment,
  logger: Logger,
  provider: Provider = providerOf(environment),
): Promise<NestFastifyApplication> {
  const service = ServiceModule.register({
    service: 'payment',
    logger,
    databaseUrl: environment.PAYMENT_DATABASE_URL,
    natsUrl: environment.NATS_URL,
    migrations: [...ledgerMigrations, ...messagingMigrations, ...paymentMigrations],
  });

  @Module({
    imports: [service],
    controllers: [PaymentsController, RefundsController, CommandsController],
    providers: [PaymentCommands, CreatePayment, CreateRefund, { provide: PROVIDER, useFactory: () => provider }],
  })
  class PaymentApp {}

  const app = await createHttpApp(PaymentApp, {
    title: 'Payment service',
    description: 'Payments and refunds.',
    logger,
    apiKeys: parseApiKeys(environment.API_KEYS),
  });
  app.connectMicroservice({ strategy: app.get(JetStreamServer) });
  return app;
}

function providerOf({ PAYMENT_PROVIDER, STRIPE_API_KEY, STRIPE_BASE_URL }: PaymentEnvironment): Provider {
  if (PAYMENT_PROVIDER === 'simulated') return new SimulatedProvider();
  return new StripeProvider({ apiKey: STRIPE_API_KEY, baseUrl: STRIPE_BASE_URL, timeoutMs: PROVIDER_TIMEOUT_MS });
}
