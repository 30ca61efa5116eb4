/** Puts the order service together. */
import { Module } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { createHttpApp, parseApiKeys } from '@shop/http';
import { ledgerMigrations } from '@shop/idempotency';
import { JetStreamServer, messagingMigrations, outboxMigrations } from '@shop/messaging';
import type { Logger } from '@shop/observability';
import { sagaMigrations } from '@shop/saga';
import { ServiceModule } from '@shop/service';
import type { OrderEnvironment } from './environment';
import { orderMigrations } from './migrations';
import { OrdersModule } from './orders/orders.module';
import { ProductsController } from './products/products.controller';

export async function buildOrderApp(environment: OrderEnvironment, logger: Logger): Promise<NestFastifyApplication> {
  const service = ServiceModule.register({
    service: 'order',
    logger,
    databaseUrl: environment.ORDER_DATABASE_URL,
    natsUrl: environment.NATS_URL,
    migrations: [
      ...ledgerMigrations,
      ...messagingMigrations,
      ...sagaMigrations,
      ...outboxMigrations,
      ...orderMigrations,
    ],
  });

  @Module({ imports: [service, OrdersModule], controllers: [ProductsController] })
  class OrderApp {}

  const app = await createHttpApp(OrderApp, {
    title: 'Order service',
    description: 'The gateway: products, orders, and the sagas that carry them out.',
    logger,
    apiKeys: parseApiKeys(environment.API_KEYS),
  });
  app.connectMicroservice({ strategy: app.get(JetStreamServer) });
  return app;
}
