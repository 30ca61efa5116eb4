/** What is heard of orders, and what follows from it. */
import {
  type DynamicModule,
  Inject,
  Module,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
} from '@nestjs/common';
import type { Logger } from '@shop/observability';
import { ListenerModule } from '@shop/participant';
import { Database } from '@shop/postgres';
import { endedWithin } from '@shop/resilience';
import { LOGGER, Neighbour, neighbourKeyIn } from '@shop/service';
import { FulfilmentEnvironment } from '../environment';
import { FollowUp } from './follow-up';
import { OrderEvents } from './order-events';

/** The order service, as this one asks it. */
export const ORDER_SERVICE = Symbol('ORDER_SERVICE');

/** Nobody waits for what is read, so it may take its time. */
const READING = { deadlineMs: 2_000, totalMs: 10_000, maxTries: 3 };
/** A batch that waits for a lock may take longer. Another replica does what it leaves. */
const STOP_WITHIN_MS = 3_000;

const orderService = {
  provide: ORDER_SERVICE,
  useFactory: (environment: FulfilmentEnvironment, logger: Logger) =>
    new Neighbour({ name: 'order', url: environment.ORDER_URL, key: neighbourKeyIn(environment), ...READING, logger }),
  inject: [FulfilmentEnvironment, LOGGER],
};

const followUp = {
  provide: FollowUp,
  useFactory: (database: Database, order: Neighbour, logger: Logger) => new FollowUp(database, order, logger),
  inject: [Database, ORDER_SERVICE, LOGGER],
};

@Module({})
export class HeardOrdersModule implements OnApplicationBootstrap, OnApplicationShutdown {
  constructor(@Inject(FollowUp) private readonly followUp: FollowUp) {}

  static register(): DynamicModule {
    const listener = ListenerModule.register({
      service: 'fulfilment',
      hears: ['order', 'payment'],
      events: OrderEvents,
      providers: [orderService, followUp],
    });
    return { module: HeardOrdersModule, global: true, imports: [listener], exports: [listener] };
  }

  onApplicationBootstrap(): void {
    this.followUp.start();
  }

  /** Runs after HTTP and the consumers have drained. */
  async onApplicationShutdown(): Promise<void> {
    await endedWithin(this.followUp.stop(), STOP_WITHIN_MS);
  }
}
