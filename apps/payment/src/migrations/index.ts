/** All migrations of the payment service. Those of the libraries that it uses come first. */
import { bulkMigrations } from '@shop/bulk';
import { ledgerMigrations } from '@shop/idempotency';
import { messagingMigrations, outboxMigrations } from '@shop/messaging';
import { apiKeyMigrations } from '@shop/service';
import { CreatePayment1760000030000 } from './1760000030000-create-payment';
import { EraseSources1760000030100 } from './1760000030100-erase-sources';
import { WaitForPayments1760000030200 } from './1760000030200-wait-for-payments';
import { MoneyBack1760000030400 } from './1760000030400-money-back';
import { ReceiveEvents1760000030500 } from './1760000030500-receive-events';
import { ListByOrder1760000030600 } from './1760000030600-list-by-order';
import { Invoices1760000030700 } from './1760000030700-invoices';
import { TellTax1760000030800 } from './1760000030800-tell-tax';
import { PaymentsByReference1760000030900 } from './1760000030900-payments-by-reference';

export const paymentMigrations = [
  ...ledgerMigrations,
  ...messagingMigrations,
  ...bulkMigrations,
  ...outboxMigrations,
  ...apiKeyMigrations,
  CreatePayment1760000030000,
  EraseSources1760000030100,
  WaitForPayments1760000030200,
  MoneyBack1760000030400,
  ReceiveEvents1760000030500,
  ListByOrder1760000030600,
  Invoices1760000030700,
  TellTax1760000030800,
  PaymentsByReference1760000030900,
];
