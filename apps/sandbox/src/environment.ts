/** The variables of the sandbox. */
import { Count, Port, ProcessEnvironment } from '@shop/service';
import { IsOptional, IsString, Matches, MinLength, ValidateIf } from 'class-validator';

const HttpUrl = () => Matches(/^https?:\/\/[^\s?#]+$/, { message: 'must look like https://host/path' });
/** A shorter one can be guessed. */
const MIN_SECRET_LENGTH = 8;

export class SandboxEnvironment extends ProcessEnvironment {
  @Port() SANDBOX_PORT = 3009;
  /** Of the mail server. */
  @Port() SANDBOX_SMTP_PORT = 3025;
  /** Where the books are kept; without it they are lost when the process ends. */
  @IsOptional() @IsString() SANDBOX_FILE?: string;
  /** Where browsers find the sandbox; without it, where the caller of the API has found it. */
  @IsOptional() @HttpUrl() SANDBOX_PUBLIC_URL?: string;
  /** Where events are sent; without it, nowhere. */
  @IsOptional() @HttpUrl() SANDBOX_WEBHOOK_URL?: string;
  /** What signs the events. */
  @ValidateIf(({ SANDBOX_WEBHOOK_URL }: SandboxEnvironment) => SANDBOX_WEBHOOK_URL !== undefined)
  @IsString()
  @MinLength(MIN_SECRET_LENGTH)
  SANDBOX_WEBHOOK_SECRET?: string;
  /** Where the carrier sends its events; without it, nowhere. */
  @IsOptional() @HttpUrl() SANDBOX_CARRIER_WEBHOOK_URL?: string;
  /** What signs the events of the carrier. */
  @ValidateIf(({ SANDBOX_CARRIER_WEBHOOK_URL: url }: SandboxEnvironment) => url !== undefined)
  @IsString()
  @MinLength(MIN_SECRET_LENGTH)
  SANDBOX_CARRIER_WEBHOOK_SECRET?: string;
  /** So long after the carrier has taken a parcel, it has arrived. */
  @Count() SANDBOX_DELIVERY_SECONDS = 600;
}
