/** All that makes the tables of the payment service; those of the libs it stands on come first. */
import { ledgerMigrations } from '@shop/idempotency';
import { messagingMigrations } from '@shop/messaging';
import { CreatePayment1760000030000 } from './1760000030000-create-payment';

export const paymentMigrations = [...ledgerMigrations, ...messagingMigrations, CreatePayment1760000030000];
