/** Wires the sandbox: Stripe's routes, the faults, the books, the page of the bank and the admin routes. */
import { type DynamicModule, Module } from '@nestjs/common';
import { createHealthModule, MetricsModule } from '@shop/http';
import type { Logger } from '@shop/observability';
import { AdminController } from './admin.controller';
import { BankPageController } from './bank-page/bank-page.controller';
import { FaultPlanner } from './faults/faults';
import { Responder } from './faults/responder';
import { LOGGER } from '@shop/service';
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
}

@Module({})
class SandboxModule {}

export function createSandboxModule({ logger, file, publicUrl, webhooks }: SandboxOptions): DynamicModule {
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
      UnknownRoutesController,
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
    ],
  };
}
