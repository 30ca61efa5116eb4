/** Puts the fulfilment service together. */
import { TypeOrmModule } from '@nestjs/typeorm';
import { BackfillModule } from '@shop/backfill';
import { defineService, type Neighbour, unfitNeighbourKey } from '@shop/service';
import { ParticipantModule } from '@shop/participant';
import { earlierOrders } from './backfills/earlier-orders';
import { DeliveryCommands } from './deliveries/delivery-commands';
import {
  deliveryCommandProviders,
  deliveryControllers,
  deliveryEntities,
  deliveryProviders,
  unfitCarrier,
} from './deliveries/delivery-parts';
import { FulfilmentEnvironment } from './environment';
import { fulfilmentMigrations } from './migrations';
import { unfitMail } from './notifications/mail-settings';
import { NotificationEntity } from './notifications/notification.entity';
import { NotificationTimers } from './notifications/notification-timers';
import { NotificationsController } from './notifications/notifications.controller';
import { NotificationsService } from './notifications/notifications.service';
import { FollowUp } from './orders/follow-up';
import { HeardOrdersModule, ORDER_SERVICE } from './orders/orders.module';
import { fulfilmentData } from './own-data';
import { PointEntry } from './points/point-entry.entity';
import { PointsController } from './points/points.controller';
import { PointsService } from './points/points.service';

const entities = [PointEntry, NotificationEntity, ...deliveryEntities];

const backfills = BackfillModule.register({
  inject: [ORDER_SERVICE, FollowUp],
  useFactory: (order: Neighbour, followUp: FollowUp) => [earlierOrders(order, followUp)],
});

export const fulfilmentService = defineService({
  name: 'fulfilment',
  title: 'Fulfilment service',
  description: 'What happens after an order is confirmed or cancelled: mails, points and deliveries.',
  environment: FulfilmentEnvironment,
  unfit: (environment: FulfilmentEnvironment) => [
    ...unfitNeighbourKey(environment),
    ...unfitMail(environment),
    ...unfitCarrier(environment),
  ],
  migrations: fulfilmentMigrations,
  entities,
  ownData: fulfilmentData,
  tells: true,
  imports: [
    TypeOrmModule.forFeature(entities),
    HeardOrdersModule.register(),
    ParticipantModule.register({
      service: 'fulfilment',
      commands: DeliveryCommands,
      providers: deliveryCommandProviders,
    }),
    backfills,
  ],
  controllers: [PointsController, NotificationsController, ...deliveryControllers],
  providers: [PointsService, NotificationsService, NotificationTimers, ...deliveryProviders],
});
