/** The variables of the order service. */
import { IsDataKeys, Port, PostgresUrl, ServiceEnvironment } from '@shop/service';
import { IsOptional, IsString } from 'class-validator';

export class OrderEnvironment extends ServiceEnvironment {
  @Port() ORDER_PORT = 3000;
  @PostgresUrl() ORDER_DATABASE_URL: string;
  /** The keys that the tokens of cards are sealed with. The payment service needs the same ones. */
  @IsDataKeys() DATA_KEYS?: string;
  @IsOptional() @IsString() DATA_KEYS_FILE?: string;
}
