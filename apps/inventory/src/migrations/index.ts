/** All migrations of the inventory service. Those of the libraries that it uses come first. */
import { bulkMigrations } from '@shop/bulk';
import { ledgerMigrations } from '@shop/idempotency';
import { messagingMigrations } from '@shop/messaging';
import { apiKeyMigrations } from '@shop/service';
import { CreateStock1760000020000 } from './1760000020000-create-stock';
import { ReservationsAndPlaces1760000020100 } from './1760000020100-reservations-and-places';

export const inventoryMigrations = [
  ...ledgerMigrations,
  ...messagingMigrations,
  ...bulkMigrations,
  ...apiKeyMigrations,
  CreateStock1760000020000,
  ReservationsAndPlaces1760000020100,
];
