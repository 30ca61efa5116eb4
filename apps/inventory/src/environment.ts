/** The variables of the inventory service. */
import { Port, PostgresUrl, ServiceEnvironment } from '@shop/service';
import { IsOptional, IsString } from 'class-validator';

export class InventoryEnvironment extends ServiceEnvironment {
  @Port() INVENTORY_PORT = 3001;
  @PostgresUrl() INVENTORY_DATABASE_URL: string;
  /** Its content is the password, which may change at any time. */
  @IsOptional() @IsString() INVENTORY_DATABASE_PASSWORD_FILE?: string;
  /** The role that owns the tables; only migrations use it. */
  @IsOptional() @PostgresUrl() INVENTORY_MIGRATION_DATABASE_URL?: string;
  @IsOptional() @IsString() INVENTORY_MIGRATION_DATABASE_PASSWORD_FILE?: string;
}
