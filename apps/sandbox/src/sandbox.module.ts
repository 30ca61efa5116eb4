/** Wires the sandbox: Stripe's routes, the faults, the books and the admin routes. */
import { type DynamicModule, Module } from '@nestjs/common';
import { createHealthModule, MetricsModule } from '@shop/http';
import type { Logger } from '@shop/observability';
import { AdminController } from './admin.controller';
import { FaultPlanner } from './faults/faults';
import { Responder } from './faults/responder';
import { LOGGER } from '@shop/service';
import { OutcomesController } from './outcomes.controller';
import { Settings } from './settings';
import { Books } from './stripe/books';
import { Disputes } from './stripe/disputes';
import { Intents } from './stripe/intents';
import { openJournal } from './stripe/journal';
import { PaymentIntentsController, PUBLIC_URL } from './stripe/payment-intents.controller';
import { Refunds } from './stripe/refunds';
import { RefundsController } from './stripe/refunds.controller';
import { StripeDoor } from './stripe/stripe-door';
import { UnknownRoutesController } from './stripe/unknown-routes.controller';

export interface SandboxOptions {
  logger: Logger;
  /** Where the books are kept; without it they are lost when the process ends. */
  file?: string;
  /** Where browsers find the sandbox; without it, where the caller of the API has found it. */
  publicUrl?: string;
}

@Module({})
class SandboxModule {}

export function createSandboxModule({ logger, file, publicUrl }: SandboxOptions): DynamicModule {
  return {
    module: SandboxModule,
    imports: [MetricsModule, createHealthModule({ inject: [], useFactory: () => [] })],
    controllers: [
      PaymentIntentsController,
      RefundsController,
      AdminController,
      OutcomesController,
      UnknownRoutesController,
    ],
    providers: [
      { provide: LOGGER, useValue: logger },
      { provide: PUBLIC_URL, useValue: publicUrl },
      { provide: Books, useFactory: () => new Books(openJournal(file)) },
      { provide: Intents, inject: [Books], useFactory: (books: Books) => new Intents(books) },
      { provide: Disputes, inject: [Books], useFactory: (books: Books) => new Disputes(books) },
      {
        provide: Refunds,
        inject: [Books, Disputes],
        useFactory: (books: Books, disputes: Disputes) => new Refunds(books, disputes),
      },
      FaultPlanner,
      Settings,
      Responder,
      StripeDoor,
    ],
  };
}
