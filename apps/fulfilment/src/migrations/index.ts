/** All migrations of the fulfilment service. Those of the libraries that it uses come first. */
import { backfillMigrations } from '@shop/backfill';
import { bulkMigrations } from '@shop/bulk';
import { ledgerMigrations } from '@shop/idempotency';
import { messagingMigrations, outboxMigrations } from '@shop/messaging';
import { apiKeyMigrations } from '@shop/service';
import { HearOrders1760000040000 } from './1760000040000-hear-orders';
import { Notifications1760000040200 } from './1760000040200-notifications';
import { CreateDeliveries1760000040300 } from './1760000040300-create-deliveries';
import { TracesOfWork1760000040350 } from './1760000040350-traces-of-work';

export const fulfilmentMigrations = [
  ...ledgerMigrations,
  ...messagingMigrations,
  ...bulkMigrations,
  ...outboxMigrations,
  ...apiKeyMigrations,
  ...backfillMigrations,
  HearOrders1760000040000,
  Notifications1760000040200,
  CreateDeliveries1760000040300,
  TracesOfWork1760000040350,
];
