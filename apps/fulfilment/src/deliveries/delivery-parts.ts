/** The parts of this room, for the module of the service. */
import {
  Inject,
  Injectable,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
  type Provider,
} from '@nestjs/common';
import type { Logger } from '@shop/observability';
import { Database } from '@shop/postgres';
import { endedWithin, RetryableError } from '@shop/resilience';
import { LOGGER, type Neighbour, unfitWebhookSecrets, WebhookSecrets, type WebhookSecretSettings } from '@shop/service';
import { FulfilmentEnvironment } from '../environment';
import { ORDER_SERVICE } from '../orders/orders.module';
import { type Carrier, CARRIER } from './carrier';
import { CarrierWebhooksController } from './carrier-webhooks.controller';
import { DeliveriesController } from './deliveries.controller';
import { DeliveriesService } from './deliveries.service';
import { DeliveryEntity } from './delivery.entity';
import { DeliveryGauges } from './delivery-gauges';
import { DeliveryWorker } from './delivery-worker';
import { HttpCarrier } from './http-carrier';
import { DELIVERY_LIMITS, type DeliveryLimits, MovingDeliveries } from './moving-deliveries';
import { ReceiveCarrierEvent } from './receive-carrier-event';
import { Recipients } from './recipients';
import { WorkingOnDeliveries } from './working-on-deliveries';

/** What is left is taken again when its lease ends. */
const STOP_WITHIN_MS = 3_000;

@Injectable()
export class DeliveryTimers implements OnApplicationBootstrap, OnApplicationShutdown {
  constructor(
    @Inject(DeliveryWorker) private readonly worker: DeliveryWorker,
    @Inject(DeliveryGauges) private readonly gauges: DeliveryGauges,
    @Inject(FulfilmentEnvironment) private readonly environment: FulfilmentEnvironment,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  onApplicationBootstrap(): void {
    this.gauges.start();
    if (this.environment.CARRIER_URL === undefined) this.logger.warn({}, 'delivery.carrier.missing');
    else this.worker.start();
  }

  /** Runs after HTTP and the consumers have drained. */
  async onApplicationShutdown(): Promise<void> {
    await endedWithin(Promise.all([this.worker.stop(), this.gauges.stop()]), STOP_WITHIN_MS);
  }
}

export const deliveryEntities = [DeliveryEntity];
export const deliveryControllers = [DeliveriesController, CarrierWebhooksController];

/** What the commands need; the module of the participant has it, and the rest of the service too. */
export const deliveryCommandProviders: Provider[] = [
  { provide: CARRIER, useFactory: carrierOf, inject: [FulfilmentEnvironment] },
  {
    provide: DELIVERY_LIMITS,
    useFactory: (given: FulfilmentEnvironment): DeliveryLimits => ({ checkSeconds: given.CARRIER_CHECK_SECONDS }),
    inject: [FulfilmentEnvironment],
  },
  MovingDeliveries,
];

export const deliveryProviders: Provider[] = [
  {
    provide: Recipients,
    useFactory: (order: Neighbour) => new Recipients(order),
    inject: [ORDER_SERVICE],
  },
  WorkingOnDeliveries,
  {
    provide: DeliveryWorker,
    useFactory: (database: Database, working: WorkingOnDeliveries, logger: Logger) =>
      new DeliveryWorker({ database, workOn: (taken) => working.workOn(taken), logger }),
    inject: [Database, WorkingOnDeliveries, LOGGER],
  },
  {
    provide: DeliveryGauges,
    useFactory: (database: Database, logger: Logger) => new DeliveryGauges(database, logger),
    inject: [Database, LOGGER],
  },
  {
    provide: WebhookSecrets,
    useFactory: (environment: FulfilmentEnvironment, logger: Logger) =>
      new WebhookSecrets(carrierSecrets(environment), logger),
    inject: [FulfilmentEnvironment, LOGGER],
  },
  ReceiveCarrierEvent,
  DeliveriesService,
  DeliveryTimers,
];

const carrierSecrets = (given: FulfilmentEnvironment): WebhookSecretSettings => ({
  variable: 'CARRIER_WEBHOOK_SECRETS',
  list: given.CARRIER_WEBHOOK_SECRETS,
  file: given.CARRIER_WEBHOOK_SECRETS_FILE,
});

/** Why the service must not start in production with what is said of the carrier, one reason each. */
export function unfitCarrier(given: FulfilmentEnvironment): string[] {
  if (given.MIGRATE === 'only') return [];
  return [
    ...(given.CARRIER_URL === undefined ? ['CARRIER_URL is missing, and without it nothing is delivered'] : []),
    ...unfitWebhookSecrets(carrierSecrets(given), 'the carrier'),
  ];
}

function carrierOf({ CARRIER_URL, CARRIER_API_KEY, CARRIER_PER_SECOND }: FulfilmentEnvironment): Carrier {
  if (CARRIER_URL === undefined) return noCarrier;
  return new HttpCarrier({ url: CARRIER_URL, apiKey: CARRIER_API_KEY, perSecond: CARRIER_PER_SECOND });
}

/** Nothing was ever handed over without one, unless its address was taken away: then nobody knows. */
const away = () => Promise.reject(new RetryableError('no carrier is configured here'));
const noCarrier: Carrier = { handOver: away, find: away, recall: away };
