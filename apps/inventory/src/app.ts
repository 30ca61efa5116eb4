/** Puts the inventory service together. */
import { TypeOrmModule } from '@nestjs/typeorm';
import { ParticipantModule } from '@shop/participant';
import { defineService } from '@shop/service';
import { InventoryEnvironment } from './environment';
import { inventoryMigrations } from './migrations';
import { ReservationCommands } from './reservations/reservation-commands';
import { stockData } from './stock/erase-movements';
import { StockController } from './stock/stock.controller';
import { StockEntity } from './stock/stock.entity';
import { StockService } from './stock/stock.service';

export const inventoryService = defineService({
  name: 'inventory',
  title: 'Inventory service',
  description: 'Stock, and what is reserved of it.',
  environment: InventoryEnvironment,
  migrations: inventoryMigrations,
  entities: [StockEntity],
  ownData: stockData,
  imports: [
    TypeOrmModule.forFeature([StockEntity]),
    ParticipantModule.register({ service: 'inventory', commands: ReservationCommands }),
  ],
  controllers: [StockController],
  providers: [StockService],
});
