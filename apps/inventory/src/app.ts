/** Puts the inventory service together. */
import { TypeOrmModule } from '@nestjs/typeorm';
import type { Logger } from '@shop/observability';
import { ParticipantModule } from '@shop/participant';
import { Database } from '@shop/postgres';
import { defineService, LOGGER } from '@shop/service';
import { BundlesController } from './bundles/bundles.controller';
import { BundlesService } from './bundles/bundles.service';
import { ChecksController } from './checks/checks.controller';
import { ChecksService } from './checks/checks.service';
import { InventoryEnvironment } from './environment';
import { inventoryMigrations } from './migrations';
import { inventoryData } from './own-data';
import { ExpiringReservations } from './reservations/expiring-reservations';
import { FillingBackorders } from './reservations/filling-backorders';
import { COMMAND_OPTIONS, type CommandOptions, ReservationCommands } from './reservations/reservation-commands';
import { ReservationEntity } from './reservations/reservation.entity';
import { ReservationsController } from './reservations/reservations.controller';
import { ReservationsService } from './reservations/reservations.service';
import { MovementEntity } from './stock/movement.entity';
import { MovementsService } from './stock/movements.service';
import { PlaceEntity } from './stock/place.entity';
import { StockReader } from './stock/stock-reader';
import { StockSettingsController } from './stock/stock-settings.controller';
import { StockController } from './stock/stock.controller';
import { StockEntity } from './stock/stock.entity';
import { StockService } from './stock/stock.service';
import { InventoryTimers } from './timers/inventory-timers';

const entities = [StockEntity, PlaceEntity, MovementEntity, ReservationEntity];

/** Commands, requests and each other tell them when there is something to do. */
const timers = [
  {
    provide: FillingBackorders,
    useFactory: (database: Database, logger: Logger) => new FillingBackorders(database, logger),
    inject: [Database, LOGGER],
  },
  {
    provide: ExpiringReservations,
    useFactory: (database: Database, logger: Logger, filling: FillingBackorders) =>
      new ExpiringReservations(database, logger, () => filling.expectNow()),
    inject: [Database, LOGGER, FillingBackorders],
  },
];

function commandOptions(environment: InventoryEnvironment, filling: FillingBackorders): CommandOptions {
  return {
    orderReservationSeconds: environment.ORDER_RESERVATION_SECONDS,
    wakeFilling: () => filling.expectNow(),
  };
}

export const inventoryService = defineService({
  name: 'inventory',
  title: 'Inventory service',
  description: 'Stock, and what is reserved of it.',
  environment: InventoryEnvironment,
  migrations: inventoryMigrations,
  entities,
  ownData: inventoryData,
  imports: [
    TypeOrmModule.forFeature(entities),
    ParticipantModule.register({
      service: 'inventory',
      commands: ReservationCommands,
      providers: [
        ...timers,
        { provide: COMMAND_OPTIONS, useFactory: commandOptions, inject: [InventoryEnvironment, FillingBackorders] },
      ],
    }),
  ],
  controllers: [ReservationsController, BundlesController, ChecksController, StockSettingsController, StockController],
  providers: [
    ReservationsService,
    BundlesService,
    ChecksService,
    MovementsService,
    StockReader,
    StockService,
    InventoryTimers,
  ],
});
