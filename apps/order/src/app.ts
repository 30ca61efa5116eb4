/** Puts the order service together. */
import { BackfillModule } from '@shop/backfill';
import { Database } from '@shop/postgres';
import { defineService, unfitDataKeys, unfitNeighbourKey } from '@shop/service';
import { ordersConfirmedAt } from './backfills/orders-confirmed-at';
import { Cart, CartPromotion } from './carts/cart.entity';
import { CartsModule } from './carts/carts.module';
import { OrderEnvironment } from './environment';
import { orderData } from './erasure/order-data';
import { orderMigrations } from './migrations';
import { OrderEntity } from './orders/reading/order.entity';
import { OrdersListModule } from './orders/reading/orders-list.module';
import { OrdersModule } from './orders/orders.module';
import { Product } from './products/product.entity';
import { ProductsModule } from './products/products.module';
import { Profile } from './profiles/profile.entity';
import { ProfilesModule } from './profiles/profiles.module';
import { Promotion } from './promotions/promotion.entity';
import { PromotionsModule } from './promotions/promotions.module';

export const orderService = defineService({
  name: 'order',
  title: 'Order service',
  description: 'The gateway: products, promotions, carts, profiles, orders, and the sagas that carry them out.',
  environment: OrderEnvironment,
  unfit: (environment: OrderEnvironment) => [...unfitDataKeys(environment), ...unfitNeighbourKey(environment)],
  migrations: orderMigrations,
  entities: [Product, Promotion, Cart, CartPromotion, Profile, OrderEntity],
  ownData: orderData,
  tells: true,
  imports: [
    ProductsModule,
    PromotionsModule,
    CartsModule,
    ProfilesModule,
    OrdersListModule,
    OrdersModule,
    BackfillModule.register({
      inject: [Database],
      useFactory: (database: Database) => [ordersConfirmedAt(database)],
    }),
  ],
});
