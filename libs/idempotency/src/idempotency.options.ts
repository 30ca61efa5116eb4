/** The options that a service gives to the idempotency module, and the token under which its parts get them. */
import { ConfigurableModuleBuilder } from '@nestjs/common';
import type { Logger } from '@shop/observability';
import type { Postgres, Store } from './ledger/ledger';

export interface IdempotencyOptions {
  /** The database with the table of the ledger and the effects that the ledger guards. */
  database: Store<Postgres>;
  /** Gets one line for each decision. */
  logger?: Logger;
  /** How long clients may repeat a request, as the service tells them. No route may keep answers for less. */
  retryWindowHours?: number;
  /** After a crash, leased work is resumed after this time. */
  leaseMs?: number;
  /** False leaves left work and expired answers to other replicas. The default is true. */
  housekeeping?: boolean;
}

/** The token is exported to all modules. Its name keeps it apart from their tokens. */
export const { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN } = new ConfigurableModuleBuilder<IdempotencyOptions>({
  moduleName: 'Idempotency',
}).build();
