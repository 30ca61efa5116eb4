/** One replica of the payment service without Nest, HTTP and broker: its commands, on the ports of the caller. */
import { Idempotency, type Ledger } from '@shop/idempotency';
import type { Logger } from '@shop/observability';
import { Participant } from '@shop/participant';
import type { Database } from '@shop/postgres';
import { DEVELOPMENT_DATA_KEYS, Sealer } from '@shop/sealing';
import { PaymentCommands } from '../src/payments/payment-commands';
import type { Provider } from '../src/payments/provider';
import { ProviderCalls } from '../src/payments/provider-calls';

export interface PaymentPorts {
  database: Database;
  ledger: Ledger;
  provider: Provider;
  logger: Logger;
}

/** Heartbeats extend the lease. A test that controls the clock never waits for them. */
const LEASE_MS = 9_000;

export type PaymentReplica = ReturnType<typeof openPaymentReplica>;

export function openPaymentReplica({ database, ledger, provider, logger }: PaymentPorts) {
  const commands = new PaymentCommands(new ProviderCalls(provider, logger, new Sealer(DEVELOPMENT_DATA_KEYS)));
  return new Participant('payment', database, new Idempotency(database, ledger, { leaseMs: LEASE_MS }), commands);
}
