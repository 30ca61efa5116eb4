/** Puts the inventory service together. */
import { Module } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { createHttpApp, parseApiKeys } from '@shop/http';
import { ledgerMigrations } from '@shop/idempotency';
import { JetStreamServer, messagingMigrations } from '@shop/messaging';
import type { Logger } from '@shop/observability';
import { ServiceModule } from '@shop/service';
import type { InventoryEnvironment } from './environment';
import { inventoryMigrations } from './migrations';
import { CommandsController } from './reservations/commands.controller';
import { StockController } from './stock/stock.controller';

export async function buildInventoryApp(
  environment: InventoryEnvironment,
  logger: Logger,
): Promise<NestFastifyApplication> {
  const service = ServiceModule.register({
    service: 'inventory',
    logger,
    databaseUrl: environment.INVENTORY_DATABASE_URL,
    natsUrl: environment.NATS_URL,
    migrations: [...ledgerMigrations, ...messagingMigrations, ...inventoryMigrations],
  });

  @Module({ imports: [service], controllers: [StockController, CommandsController] })
  class InventoryApp {}

  const app = await createHttpApp(InventoryApp, {
    title: 'Inventory service',
    description: 'Stock, and what is reserved of it.',
    logger,
    apiKeys: parseApiKeys(environment.API_KEYS),
  });
  app.connectMicroservice({ strategy: app.get(JetStreamServer) });
  return app;
}
