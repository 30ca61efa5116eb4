/** Puts the payment service together. */
import { TypeOrmModule } from '@nestjs/typeorm';
import { OutboxRelay } from '@shop/messaging';
import type { Logger } from '@shop/observability';
import { ParticipantModule } from '@shop/participant';
import { Database } from '@shop/postgres';
import { Dependency } from '@shop/resilience';
import { Sealer } from '@shop/sealing';
import { defineService, LOGGER, type OwnData, sealerOf, unfitDataKeys, unfitNeighbourKey } from '@shop/service';
import { PaymentEnvironment } from './environment';
import { paymentMigrations } from './migrations';
import { CaptureEntity } from './captures/capture.entity';
import { CapturesController } from './captures/captures.controller';
import { CapturesService } from './captures/captures.service';
import { CreateCapture } from './captures/create-capture';
import { ExpiringAuthorizations } from './captures/expiring-authorizations';
import { BookingDisputes } from './disputes/booking-disputes';
import { DisputeEntity } from './disputes/dispute.entity';
import { DisputesController } from './disputes/disputes.controller';
import { DisputesService } from './disputes/disputes.service';
import { CreatePayment } from './payments/create-payment';
import { paymentData } from './payments/erase-payments';
import { PaymentCommands } from './payments/payment-commands';
import { DuePayments } from './payments/due-payments';
import { PaymentTimers } from './payments/payment-timers';
import { PaymentEntity } from './payments/payment.entity';
import { PaymentsController } from './payments/payments.controller';
import { PaymentsService } from './payments/payments.service';
import { PROVIDER, type Provider, PROVIDER_TIMEOUT_MS } from './payments/provider';
import { SimulatedProvider } from './payments/simulated.provider';
import { ProviderCalls, providerDependency } from './payments/provider-calls';
import { StripeProvider } from './payments/stripe.provider';
import { WaitingPayments } from './payments/waiting-payments';
import { CreateRefund } from './refunds/create-refund';
import { DueRefunds } from './refunds/due-refunds';
import { RefundEntity } from './refunds/refund.entity';
import { RefundsController } from './refunds/refunds.controller';
import { RefundsService } from './refunds/refunds.service';
import { SettlingRefunds } from './refunds/settling-refunds';
import { InvoiceEntity } from './invoices/invoice.entity';
import { invoiceProviders } from './invoices/invoice-parts';
import { InvoicesController } from './invoices/invoices.controller';
import { invoiceData } from './invoices/erase-invoices';
import { taxProviders } from './invoices/tax-parts';
import { TaxTaskEntity } from './invoices/tax-task.entity';
import { TaxTasksController } from './invoices/tax-tasks.controller';
import { PayoutEntity } from './payouts/payout.entity';
import { PayoutsController } from './payouts/payouts.controller';
import { ProviderEventEntity } from './webhooks/provider-event.entity';
import { ProviderEventsController } from './webhooks/provider-events.controller';
import type { ProviderReports } from './webhooks/provider-reports';
import { webhookProviders } from './webhooks/webhook-parts';
import { unfitStripeSecrets } from './webhooks/webhook-secrets';
import { WebhooksController } from './webhooks/webhooks.controller';

const entities = [
  PaymentEntity,
  RefundEntity,
  CaptureEntity,
  DisputeEntity,
  ProviderEventEntity,
  PayoutEntity,
  TaxTaskEntity,
  InvoiceEntity,
];

const ownData: OwnData = {
  erase: async (database, subject) => [
    ...(await paymentData.erase(database, subject)),
    ...(await invoiceData.erase(database, subject)),
  ],
};

/** Tests pass their own provider. Without it, the environment names the provider. */
export function paymentService(provider?: Provider & ProviderReports, dependency?: Dependency) {
  const useFactory = (environment: PaymentEnvironment) => provider ?? providerOf(environment);
  const providers = [
    ProviderCalls,
    BookingDisputes,
    { provide: PROVIDER, useFactory, inject: [PaymentEnvironment] },
    { provide: Dependency, useFactory: () => dependency ?? providerDependency() },
    { provide: Sealer, useFactory: sealerOf, inject: [PaymentEnvironment] },
    {
      provide: WaitingPayments,
      useFactory: waitingPayments,
      inject: [Database, ProviderCalls, OutboxRelay, PaymentEnvironment, LOGGER],
    },
  ];
  return defineService({
    name: 'payment',
    title: 'Payment service',
    description: 'Payments, captures, refunds and disputes, and the invoices of orders.',
    environment: PaymentEnvironment,
    unfit: (environment: PaymentEnvironment) => [
      ...(environment.PAYMENT_PROVIDER === 'simulated' ? ['PAYMENT_PROVIDER is simulated, which takes no money'] : []),
      ...unfitDataKeys(environment),
      ...unfitStripeSecrets(environment),
      ...unfitNeighbourKey(environment),
    ],
    migrations: paymentMigrations,
    entities,
    ownData,
    tells: true,
    imports: [
      TypeOrmModule.forFeature(entities),
      ParticipantModule.register({ service: 'payment', commands: PaymentCommands, providers }),
    ],
    controllers: [
      PaymentsController,
      RefundsController,
      CapturesController,
      DisputesController,
      WebhooksController,
      ProviderEventsController,
      PayoutsController,
      TaxTasksController,
      InvoicesController,
    ],
    providers: [
      PaymentsService,
      RefundsService,
      CreatePayment,
      CreateRefund,
      SettlingRefunds,
      CapturesService,
      CreateCapture,
      DisputesService,
      {
        provide: DueRefunds,
        useFactory: (database: Database, refunds: SettlingRefunds, logger: Logger) =>
          new DueRefunds(database, refunds, logger),
        inject: [Database, SettlingRefunds, LOGGER],
      },
      {
        provide: ExpiringAuthorizations,
        useFactory: (database: Database, logger: Logger) => new ExpiringAuthorizations(database, logger),
        inject: [Database, LOGGER],
      },
      {
        provide: DuePayments,
        useFactory: (database: Database, waiting: WaitingPayments, logger: Logger) =>
          new DuePayments(database, waiting, logger),
        inject: [Database, WaitingPayments, LOGGER],
      },
      PaymentTimers,
      ...webhookProviders,
      ...taxProviders(),
      ...invoiceProviders,
    ],
  });
}

function waitingPayments(
  database: Database,
  calls: ProviderCalls,
  relay: OutboxRelay,
  environment: PaymentEnvironment,
  logger: Logger,
): WaitingPayments {
  const limits = {
    approvalSeconds: environment.PAYMENT_APPROVAL_SECONDS,
    processingSeconds: environment.PAYMENT_PROCESSING_SECONDS,
    authorization: {
      policy: environment.PAYMENT_AUTHORIZATION_POLICY,
      warningSeconds: environment.PAYMENT_AUTHORIZATION_WARNING_SECONDS,
    },
  };
  return new WaitingPayments({ database, calls, relay, logger, limits });
}

function providerOf(given: PaymentEnvironment): Provider & ProviderReports {
  if (given.PAYMENT_PROVIDER === 'simulated') return new SimulatedProvider();
  return new StripeProvider({
    apiKey: given.STRIPE_API_KEY,
    baseUrl: given.STRIPE_BASE_URL,
    timeoutMs: PROVIDER_TIMEOUT_MS,
    returnUrl: given.PAYMENT_RETURN_URL,
  });
}
