/** The variables of the order service. */
import { Port, PostgresUrl, ServiceEnvironment } from '@shop/service';
import { IsOptional, IsString } from 'class-validator';

export class OrderEnvironment extends ServiceEnvironment {
  @Port() ORDER_PORT = 3000;
  @PostgresUrl() ORDER_DATABASE_URL: string;
  /** Its content is the password, which may change at any time. */
  @IsOptional() @IsString() ORDER_DATABASE_PASSWORD_FILE?: string;
  /** The role that owns the tables; only migrations use it. */
  @IsOptional() @PostgresUrl() ORDER_MIGRATION_DATABASE_URL?: string;
  @IsOptional() @IsString() ORDER_MIGRATION_DATABASE_PASSWORD_FILE?: string;
}
