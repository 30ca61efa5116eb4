/** The variables of the console. */
import { HttpUrl, Port, ProcessEnvironment } from '@shop/service';
import { IsOptional, IsString, Matches, MinLength, ValidateBy } from 'class-validator';
import { parseAddresses } from './figures/addresses';

/** What is sealed with less can be opened by guessing. */
const LEAST_SECRET_LENGTH = 32;

const IsLink = () =>
  Matches(/^https?:\/\/\S*\{traceId\}\S*$/, { message: 'must look like https://host/path/{traceId}' });

const AreAddresses = () =>
  ValidateBy({
    name: 'areAddresses',
    validator: {
      validate: (value) => typeof value === 'string' && parseAddresses(value) !== undefined,
      defaultMessage: () => 'must look like order=http://host:9464,payment=http://host:9464',
    },
  });

export class ConsoleEnvironment extends ProcessEnvironment {
  @Port() CONSOLE_PORT = 3010;
  @HttpUrl() ORDER_URL = 'http://127.0.0.1:3000';
  @HttpUrl() INVENTORY_URL = 'http://127.0.0.1:3001';
  @HttpUrl() PAYMENT_URL = 'http://127.0.0.1:3002';
  @HttpUrl() FULFILMENT_URL = 'http://127.0.0.1:3003';
  /** Where browsers find the console; without it, the host that they name. */
  @IsOptional() @HttpUrl() CONSOLE_ORIGIN?: string;
  /** What sessions are sealed with; without it, one that only this process knows. */
  @IsOptional() @IsString() @MinLength(LEAST_SECRET_LENGTH) CONSOLE_SECRET?: string;
  @IsOptional() @IsString() CONSOLE_SECRET_FILE?: string;
  /** `service=address` of every process whose metrics are shown, with commas. Without it there are no figures. */
  @AreAddresses() CONSOLE_METRICS = '';
  /** A folder with `<service>.log`, of JSON lines. */
  @IsOptional() @IsString() CONSOLE_LOG_DIR?: string;
  /** Pages of others, with `{traceId}` where the id of a trace belongs. */
  @IsOptional() @IsLink() CONSOLE_LOG_URL?: string;
  @IsOptional() @IsLink() CONSOLE_TRACE_URL?: string;
}
