/** One replica of the payment service without Nest, HTTP and broker: its commands, on the ports of the caller. */
import { Idempotency, type Ledger } from '@shop/idempotency';
import type { Logger } from '@shop/observability';
import { Participant } from '@shop/participant';
import type { Database } from '@shop/postgres';
import type { Dependency } from '@shop/resilience';
import { DEVELOPMENT_DATA_KEYS, Sealer } from '@shop/sealing';
import { BookingDisputes } from '../src/disputes/booking-disputes';
import { PaymentCommands } from '../src/payments/payment-commands';
import type { Provider } from '../src/payments/provider';
import { ProviderCalls, providerDependency } from '../src/payments/provider-calls';
import { type WaitingLimits, WaitingPayments } from '../src/payments/waiting-payments';
import { hasten, takeDue } from '../src/payments/waiting-payments.repository';

export interface PaymentPorts {
  database: Database;
  ledger: Ledger;
  provider: Provider;
  logger: Logger;
  limits?: WaitingLimits;
  dependency?: Dependency;
  /** False for a test that controls the clock: heartbeats come by that of the machine. */
  heartbeat?: boolean;
  /** Is woken when there are events to publish. Without it nobody publishes them. */
  relay?: { wake: () => void };
}

const LEASE_MS = 9_000;

const defaultLimits = { approvalSeconds: 900, processingSeconds: 86_400 };
const nobody = { wake: () => undefined };

export type PaymentReplica = ReturnType<typeof openPaymentReplica>;

export function openPaymentReplica(ports: PaymentPorts) {
  const { database, ledger, provider, logger, limits = defaultLimits, relay = nobody, heartbeat } = ports;
  const { dependency = providerDependency({ maxTries: 1 }) } = ports;
  const calls = new ProviderCalls(provider, logger, new Sealer(DEVELOPMENT_DATA_KEYS), dependency);
  const waiting = new WaitingPayments({ database, calls, relay, limits, logger });
  const idempotency = new Idempotency(database, ledger, { leaseMs: LEASE_MS, heartbeat });
  const disputes = new BookingDisputes(database, calls, logger);
  const participant = new Participant(
    'payment',
    database,
    idempotency,
    new PaymentCommands(calls, waiting, disputes, relay),
  );
  return Object.assign(participant, {
    waiting,
    disputes,
    /** As the timer does, for one payment at most, so that a test knows the order. */
    settleNextDue: async () => {
      for (const key of await takeDue(database, 1)) await waiting.settle(key);
    },
    /** As a webhook does. */
    hasten: (key: { tenant: string; id: string }) => database.transaction((tx) => hasten(tx, key)),
  });
}
