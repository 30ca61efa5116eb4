/** The parts of this room, for the module of the service. */
import type { Provider } from '@nestjs/common';
import type { Logger } from '@shop/observability';
import { Database } from '@shop/postgres';
import { Dependency } from '@shop/resilience';
import { LOGGER, WebhookSecrets } from '@shop/service';
import { PaymentEnvironment } from '../environment';
import { PROVIDER } from '../payments/provider';
import { BookingDisputes } from '../disputes/booking-disputes';
import { PayoutEvents } from '../payouts/payout-events';
import { SettlingRefunds } from '../refunds/settling-refunds';
import { EventHousekeeper } from './event-housekeeper';
import { EventWorker } from './event-worker';
import { IntentEvents } from './intent-events';
import { PROVIDER_EVENT_HANDLERS, type ProviderEventHandler } from './provider-event';
import { PROVIDER_REPORTS, reportsOf } from './provider-reports';
import { ReceiveEvent } from './receive-event';
import { stripeSecrets } from './webhook-secrets';
import { WebhookTimers } from './webhook-timers';

/** Whoever works on events of a type is one of these. */
const handlers = [IntentEvents, PayoutEvents];

export const webhookProviders: Provider[] = [
  ...handlers,
  {
    provide: PROVIDER_EVENT_HANDLERS,
    useFactory: (...all: ProviderEventHandler[]) => all,
    // The last two have rooms of their own, which others use too.
    inject: [...handlers, SettlingRefunds, BookingDisputes],
  },
  { provide: PROVIDER_REPORTS, useFactory: reportsOf, inject: [PROVIDER, Dependency] },
  {
    provide: WebhookSecrets,
    useFactory: (environment: PaymentEnvironment, logger: Logger) =>
      new WebhookSecrets(stripeSecrets(environment), logger),
    inject: [PaymentEnvironment, LOGGER],
  },
  {
    provide: EventWorker,
    useFactory: (database: Database, all: ProviderEventHandler[], logger: Logger) =>
      new EventWorker({ database, handlers: all, logger }),
    inject: [Database, PROVIDER_EVENT_HANDLERS, LOGGER],
  },
  {
    provide: EventHousekeeper,
    useFactory: (database: Database, logger: Logger) => new EventHousekeeper(database, logger),
    inject: [Database, LOGGER],
  },
  ReceiveEvent,
  WebhookTimers,
];
