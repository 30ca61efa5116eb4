/** The variables of the auditor. */
import { Count, HttpUrl, Port, ProcessEnvironment } from '@shop/service';
import { IsOptional, IsString, MinLength, ValidateIf } from 'class-validator';

export class AuditorEnvironment extends ProcessEnvironment {
  @Port() AUDITOR_PORT = 3011;
  /** The services, as a client from outside finds them. */
  @HttpUrl() ORDER_URL = 'http://127.0.0.1:3000';
  @HttpUrl() INVENTORY_URL = 'http://127.0.0.1:3001';
  @HttpUrl() PAYMENT_URL = 'http://127.0.0.1:3002';
  /** The key of an operator of a tenant of its own: it makes a product and its stock there, and places orders. */
  @ValidateIf(({ AUDITOR_API_KEY_FILE: file }: AuditorEnvironment) => file === undefined)
  @IsString()
  @MinLength(1)
  AUDITOR_API_KEY?: string;
  @IsOptional() @IsString() AUDITOR_API_KEY_FILE?: string;
  /** What it pays with. */
  @IsString() @MinLength(1) AUDITOR_SOURCE = 'tok_ok';
  /** From the end of one order to the beginning of the next. */
  @Count() AUDITOR_INTERVAL_SECONDS = 60;
  /** How long one order may take, with its cancellation and the refund. */
  @Count() AUDITOR_TIMEOUT_SECONDS = 50;
}
