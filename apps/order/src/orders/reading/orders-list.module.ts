/** The lists of orders and of their tenants: ordinary reads, separate from the code that places and moves orders. */
import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { OrderEntity } from './order.entity';
import { OrdersListController } from './orders-list.controller';
import { OrdersListService } from './orders-list.service';
import { TenantsController } from './tenants.controller';
import { TenantsService } from './tenants.service';

@Module({
  imports: [TypeOrmModule.forFeature([OrderEntity])],
  controllers: [OrdersListController, TenantsController],
  providers: [OrdersListService, TenantsService],
})
export class OrdersListModule {}
