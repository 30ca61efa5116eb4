/** Wires the sandbox: Stripe's routes, the faults, the books and the admin routes. */
import { type DynamicModule, Module } from '@nestjs/common';
import { createHealthModule, MetricsModule } from '@shop/http';
import type { Logger } from '@shop/observability';
import { AdminController } from './admin.controller';
import { FaultPlanner } from './faults/faults';
import { Responder } from './faults/responder';
import { LOGGER } from '@shop/service';
import { Books } from './stripe/books';
import { openJournal } from './stripe/journal';
import { StripeController } from './stripe/stripe.controller';

export interface SandboxOptions {
  logger: Logger;
  /** Where the books are kept; without it they are lost when the process ends. */
  file?: string;
}

@Module({})
class SandboxModule {}

export function createSandboxModule({ logger, file }: SandboxOptions): DynamicModule {
  return {
    module: SandboxModule,
    imports: [MetricsModule, createHealthModule({ inject: [], useFactory: () => [] })],
    controllers: [StripeController, AdminController],
    providers: [
      { provide: LOGGER, useValue: logger },
      { provide: Books, useFactory: () => new Books(openJournal(file)) },
      FaultPlanner,
      Responder,
    ],
  };
}
