/** All migrations of the order service. Those of the libraries that it uses come first. */
import { backfillMigrations } from '@shop/backfill';
import { bulkMigrations } from '@shop/bulk';
import { ledgerMigrations } from '@shop/idempotency';
import { messagingMigrations, outboxMigrations } from '@shop/messaging';
import { sagaMigrations } from '@shop/saga';
import { apiKeyMigrations } from '@shop/service';
import { CreateOrders1760000010000 } from './1760000010000-create-orders';
import { OrderByCreation1760000010100 } from './1760000010100-order-by-creation';
import { EraseSources1760000010200 } from './1760000010200-erase-sources';
import { OrderPrincipals1760000010300 } from './1760000010300-order-principals';
import { NextActions1760000010400 } from './1760000010400-next-actions';
import { Promotions1760000010500 } from './1760000010500-promotions';
import { Carts1760000010600 } from './1760000010600-carts';
import { Profiles1760000010700 } from './1760000010700-profiles';
import { Deliveries1760000010800 } from './1760000010800-deliveries';
import { OrdersByCustomer1760000010900 } from './1760000010900-orders-by-customer';

export const orderMigrations = [
  ...ledgerMigrations,
  ...messagingMigrations,
  ...bulkMigrations,
  ...sagaMigrations,
  ...outboxMigrations,
  ...apiKeyMigrations,
  ...backfillMigrations,
  CreateOrders1760000010000,
  OrderByCreation1760000010100,
  EraseSources1760000010200,
  OrderPrincipals1760000010300,
  NextActions1760000010400,
  Promotions1760000010500,
  Carts1760000010600,
  Profiles1760000010700,
  Deliveries1760000010800,
  OrdersByCustomer1760000010900,
];
