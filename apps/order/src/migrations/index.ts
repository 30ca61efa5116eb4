/** All migrations of the order service. Those of the libraries that it uses come first. */
import { ledgerMigrations } from '@shop/idempotency';
import { messagingMigrations, outboxMigrations } from '@shop/messaging';
import { sagaMigrations } from '@shop/saga';
import { apiKeyMigrations } from '@shop/service';
import { CreateOrders1760000010000 } from './1760000010000-create-orders';
import { OrderByCreation1760000010100 } from './1760000010100-order-by-creation';
import { EraseSources1760000010200 } from './1760000010200-erase-sources';
import { OrderPrincipals1760000010300 } from './1760000010300-order-principals';
import { NextActions1760000010400 } from './1760000010400-next-actions';

export const orderMigrations = [
  ...ledgerMigrations,
  ...messagingMigrations,
  ...sagaMigrations,
  ...outboxMigrations,
  ...apiKeyMigrations,
  CreateOrders1760000010000,
  OrderByCreation1760000010100,
  EraseSources1760000010200,
  OrderPrincipals1760000010300,
  NextActions1760000010400,
];
