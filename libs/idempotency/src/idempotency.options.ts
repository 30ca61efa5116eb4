/** What a service tells the idempotency module, and the token under which its parts get it. */
import { ConfigurableModuleBuilder } from '@nestjs/common';
import type { Logger } from '@shop/observability';
import type { Postgres, Store } from './ledger/ledger';

export interface IdempotencyOptions {
  /** The database that has the ledger's table and the effects that it guards. */
  database: Store<Postgres>;
  /** Gets one line for each decision. */
  logger?: Logger;
  /** For how long the service tells its clients that they may repeat a request; no route may keep answers for less. */
  retryWindowHours?: number;
  /** After a crash leased work goes on this much later. */
  leaseMs?: number;
  /** False leaves left work and expired answers to others; true unless given. */
  housekeeping?: boolean;
}

/** The name keeps the token apart from those of other modules, as it is exported to all of them. */
export const { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN } = new ConfigurableModuleBuilder<IdempotencyOptions>({
  moduleName: 'Idempotency',
}).build();
