/** The list of orders: an ordinary read by entity, separate from the code that places and moves orders. */
import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { OrderEntity } from './order.entity';
import { OrdersListController } from './orders-list.controller';
import { OrdersListService } from './orders-list.service';

@Module({
  imports: [TypeOrmModule.forFeature([OrderEntity])],
  controllers: [OrdersListController],
  providers: [OrdersListService],
})
export class OrdersListModule {}
