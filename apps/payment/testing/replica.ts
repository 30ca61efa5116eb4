/** One replica of the payment service without Nest, HTTP and broker: its commands, on the ports of the caller. */
import { Idempotency, type Ledger } from '@shop/idempotency';
import type { Logger } from '@shop/observability';
import { Participant } from '@shop/participant';
import type { Database } from '@shop/postgres';
import { DEVELOPMENT_DATA_KEYS, Sealer } from '@shop/sealing';
import { BookingDisputes } from '../src/disputes/booking-disputes';
import { PaymentCommands } from '../src/payments/payment-commands';
import type { Provider } from '../src/payments/provider';
import { ProviderCalls, providerDependency } from '../src/payments/provider-calls';
import { WaitingPayments } from '../src/payments/waiting-payments';

export interface PaymentPorts {
  database: Database;
  ledger: Ledger;
  provider: Provider;
  logger: Logger;
}

/** Heartbeats extend the lease. A test that controls the clock never waits for them. */
const LEASE_MS = 9_000;

const limits = { approvalSeconds: 900, processingSeconds: 86_400 };
/** Nobody publishes the events here. */
const relay = { wake: () => undefined };

export type PaymentReplica = ReturnType<typeof openPaymentReplica>;

export function openPaymentReplica({ database, ledger, provider, logger }: PaymentPorts) {
  const calls = new ProviderCalls(
    provider,
    logger,
    new Sealer(DEVELOPMENT_DATA_KEYS),
    providerDependency({ maxTries: 1 }),
  );
  const waiting = new WaitingPayments({ database, calls, relay, limits, logger });
  const idempotency = new Idempotency(database, ledger, { leaseMs: LEASE_MS });
  const disputes = new BookingDisputes(database, calls, logger);
  const participant = new Participant('payment', database, idempotency, new PaymentCommands(calls, waiting, disputes));
  return Object.assign(participant, { waiting, disputes });
}
