/** The clients for the other services, one of each for the whole process: a circuit is that of a neighbour, not of a screen. */
import { Module } from '@nestjs/common';
import type { Logger } from '@shop/observability';
import { LOGGER, Neighbour, neighbourKeyIn } from '@shop/service';
import { OrderEnvironment } from '../environment';
import { Neighbours } from './neighbours';

@Module({
  providers: [
    {
      provide: Neighbours,
      useFactory: (environment: OrderEnvironment, logger: Logger) => {
        const { INVENTORY_URL, PAYMENT_URL, FULFILMENT_URL, NEIGHBOUR_TIMEOUT_MS: deadlineMs } = environment;
        const shared = { key: neighbourKeyIn(environment), deadlineMs, logger };
        return new Neighbours(
          new Neighbour({ ...shared, name: 'inventory', url: INVENTORY_URL }),
          new Neighbour({ ...shared, name: 'payment', url: PAYMENT_URL }),
          new Neighbour({ ...shared, name: 'fulfilment', url: FULFILMENT_URL }),
        );
      },
      inject: [OrderEnvironment, LOGGER],
    },
  ],
  exports: [Neighbours],
})
export class NeighboursModule {}
