/** One replica of the payment service without Nest, HTTP and broker: its commands, on the caller's ports. */
import type { Ledger } from '@shop/idempotency';
import type { Logger } from '@shop/observability';
import type { Database } from '@shop/postgres';
import { CommandsController } from '../src/payments/commands.controller';
import { PaymentCommands } from '../src/payments/payment-commands';
import type { Provider } from '../src/payments/provider';

export interface PaymentPorts {
  database: Database;
  ledger: Ledger;
  provider: Provider;
  logger: Logger;
}

export function openPaymentReplica({ database, ledger, provider, logger }: PaymentPorts): CommandsController {
  return new CommandsController(new PaymentCommands(database, ledger, provider, logger));
}
