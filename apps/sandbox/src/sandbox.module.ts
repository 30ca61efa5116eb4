/** Wires the sandbox: Stripe's routes, the faults, the books, the page of the bank, the tax service and the admin routes. */
import { type DynamicModule, Module } from '@nestjs/common';
import { createHealthModule, MetricsModule } from '@shop/http';
import type { Logger } from '@shop/observability';
import { AdminController } from './admin.controller';
import { CarrierAdminController } from './carrier/carrier-admin.controller';
import { CarrierController } from './carrier/carrier.controller';
import { type CarrierOptions, carrierProviders } from './carrier/carrier-parts';
import { BankPageController } from './bank-page/bank-page.controller';
import { FaultPlanner } from './faults/faults';
import { Responder } from './faults/responder';
import { LOGGER } from '@shop/service';
import { mailControllers, mailProviders } from './mail/mail-parts';
import type { MailServerOptions } from './mail/mail-server';
import { LateOutcomes } from './late-outcomes';
import { MoneyController } from './money.controller';
import { OutcomesController } from './outcomes.controller';
import { Settings } from './settings';
import { Books } from './stripe/books';
import { Disputes } from './stripe/disputes';
import { Intents } from './stripe/intents';
import { openJournal } from './stripe/journal';
import { PaymentIntentsController, PUBLIC_URL } from './stripe/payment-intents.controller';
import { Payouts } from './stripe/payouts';
import { Refunds } from './stripe/refunds';
import { RefundsController } from './stripe/refunds.controller';
import { ReportsController } from './stripe/reports.controller';
import { StripeDoor } from './stripe/stripe-door';
import { UnknownRoutesController } from './stripe/unknown-routes.controller';
import { TaxAdminController } from './tax/tax-admin.controller';
import { TaxBooks } from './tax/tax-books';
import { TaxFaults } from './tax/tax-faults';
import { TaxController } from './tax/tax.controller';
import { WebhookSender, WEBHOOKS } from './webhooks/webhook-sender';
import { WebhookSettings } from './webhooks/webhook-settings';
import { WebhooksController } from './webhooks/webhooks.controller';

export interface SandboxOptions {
  logger: Logger;
  /** Where the books are kept; without it they are lost when the process ends. */
  file?: string;
  /** Where browsers find the sandbox; without it, where the caller of the API has found it. */
  publicUrl?: string;
  /** Where events are sent; without it, nowhere. */
  webhooks?: { url: string; secret: string };
  /** Where the mail server listens; without it, there is none. */
  smtp?: MailServerOptions;
  carrier?: CarrierOptions;
}

@Module({})
class SandboxModule {}

export function createSandboxModule({
  logger,
  file,
  publicUrl,
  webhooks,
  carrier,
  smtp,
}: SandboxOptions): DynamicModule {
  return {
    module: SandboxModule,
    imports: [MetricsModule, createHealthModule({ inject: [], useFactory: () => [] })],
    controllers: [
      PaymentIntentsController,
      RefundsController,
      ReportsController,
      BankPageController,
      AdminController,
      OutcomesController,
      MoneyController,
      WebhooksController,
      ...mailControllers,
      UnknownRoutesController,
      CarrierController,
      CarrierAdminController,
      TaxController,
      TaxAdminController,
    ],
    providers: [
      { provide: LOGGER, useValue: logger },
      { provide: PUBLIC_URL, useValue: publicUrl },
      { provide: WEBHOOKS, useValue: webhooks && Object.assign(new WebhookSettings(), webhooks) },
      { provide: Books, useFactory: () => new Books(openJournal(file)) },
      Intents,
      Disputes,
      Refunds,
      Payouts,
      FaultPlanner,
      Settings,
      Responder,
      StripeDoor,
      LateOutcomes,
      WebhookSender,
      ...carrierProviders({ file, publicUrl, carrier }),
      { provide: TaxBooks, useFactory: () => new TaxBooks(openJournal(file && `${file}.tax`)) },
      TaxFaults,
      ...mailProviders(smtp),
    ],
  };
}
