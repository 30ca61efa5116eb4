/** Puts the order service together. */
import { defineService, unfitDataKeys } from '@shop/service';
import { OrderEnvironment } from './environment';
import { orderMigrations } from './migrations';
import { orderData } from './orders/erase-orders';
import { OrderEntity } from './orders/reading/order.entity';
import { OrdersListModule } from './orders/reading/orders-list.module';
import { OrdersModule } from './orders/orders.module';
import { Product } from './products/product.entity';
import { ProductsModule } from './products/products.module';

export const orderService = defineService({
  name: 'order',
  title: 'Order service',
  description: 'The gateway: products, orders, and the sagas that carry them out.',
  environment: OrderEnvironment,
  unfit: (environment: OrderEnvironment) => unfitDataKeys(environment),
  migrations: orderMigrations,
  entities: [Product, OrderEntity],
  ownData: orderData,
  tells: true,
  imports: [ProductsModule, OrdersListModule, OrdersModule],
});
