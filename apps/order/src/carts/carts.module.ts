/** Carts as a module. */
import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { NeighboursModule } from '../neighbours/neighbours.module';
import { Product } from '../products/product.entity';
import { Promotion } from '../promotions/promotion.entity';
import { Cart, CartPromotion } from './cart.entity';
import { CartPrices } from './cart-prices';
import { CartPromotionsController } from './cart-promotions.controller';
import { CartPromotionsService } from './cart-promotions.service';
import { CartsController } from './carts.controller';
import { CartsService } from './carts.service';
import { ShownCarts } from './shown-carts';

@Module({
  imports: [TypeOrmModule.forFeature([Cart, CartPromotion, Product, Promotion]), NeighboursModule],
  controllers: [CartsController, CartPromotionsController],
  providers: [CartsService, CartPromotionsService, CartPrices, ShownCarts],
})
export class CartsModule {}
