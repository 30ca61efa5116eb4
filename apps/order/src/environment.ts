/** The variables of the order service. */
import { Count, HttpUrl, IsDataKeys, IsNeighbourKey, Port, PostgresUrl, ServiceEnvironment } from '@shop/service';
import { IsOptional, IsString } from 'class-validator';

export class OrderEnvironment extends ServiceEnvironment {
  @Port() ORDER_PORT = 3000;
  @PostgresUrl() ORDER_DATABASE_URL: string;
  /** Its content is the password, which may change at any time. */
  @IsOptional() @IsString() ORDER_DATABASE_PASSWORD_FILE?: string;
  /** The role that owns the tables; only migrations use it. */
  @IsOptional() @PostgresUrl() ORDER_MIGRATION_DATABASE_URL?: string;
  @IsOptional() @IsString() ORDER_MIGRATION_DATABASE_PASSWORD_FILE?: string;
  /**
   * With a provider that takes two seconds for a charge, this many are carried out in one minute. A saga gives up a
   * charge after 105 seconds.
   */
  @Count() MAX_OPEN_ORDERS = 2_000;
  @Count() MAX_OPEN_ORDERS_PER_TENANT = 1_000;
  /** The keys that the tokens of cards are sealed with. The payment service needs the same ones. */
  @IsDataKeys() DATA_KEYS?: string;
  @IsOptional() @IsString() DATA_KEYS_FILE?: string;
  /** Where the neighbours listen that a screen is completed by, and the key that they know. Without them it goes without. */
  @IsOptional() @HttpUrl() INVENTORY_URL?: string;
  @IsOptional() @HttpUrl() PAYMENT_URL?: string;
  @IsOptional() @HttpUrl() FULFILMENT_URL?: string;
  @IsNeighbourKey() NEIGHBOUR_KEY?: string;
  @IsOptional() @IsString() NEIGHBOUR_KEY_FILE?: string;
  /** A screen waits for a neighbour for so long, and then goes without. */
  @Count() NEIGHBOUR_TIMEOUT_MS = 300;
}
