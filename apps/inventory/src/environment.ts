/** The variables of the inventory service. */
import { Count, Port, PostgresUrl, ServiceEnvironment } from '@shop/service';
import { IsOptional, IsString } from 'class-validator';

export class InventoryEnvironment extends ServiceEnvironment {
  @Port() INVENTORY_PORT = 3001;
  @PostgresUrl() INVENTORY_DATABASE_URL: string;
  /** Its content is the password, which may change at any time. */
  @IsOptional() @IsString() INVENTORY_DATABASE_PASSWORD_FILE?: string;
  /** The role that owns the tables; only migrations use it. */
  @IsOptional() @PostgresUrl() INVENTORY_MIGRATION_DATABASE_URL?: string;
  @IsOptional() @IsString() INVENTORY_MIGRATION_DATABASE_PASSWORD_FILE?: string;
  /**
   * So long what an order has reserved is held. It must be longer than the order may take: than a customer may take to
   * approve the payment, and the bank to process it, together with the times of the saga's other steps.
   */
  @Count() ORDER_RESERVATION_SECONDS = 259_200;
}
