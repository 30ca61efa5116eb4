/** The inventory service: stock, and the reservations that sagas and clients make of it. */
import 'reflect-metadata';
import { runService } from '@shop/service';
import { buildInventoryApp } from './app';
import { InventoryEnvironment } from './environment';

void runService({
  name: 'inventory',
  environment: InventoryEnvironment,
  port: 'INVENTORY_PORT',
  build: buildInventoryApp,
});
