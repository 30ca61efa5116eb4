/** The variables of the fulfilment service. */
import { Count, HttpUrl, IsNeighbourKey, IsWebhookSecrets, Port, PostgresUrl, ServiceEnvironment } from '@shop/service';
import { IsIn, IsOptional, IsString, ValidateIf } from 'class-validator';
import { DEVELOPMENT_FROM, Sender, SmtpUrl } from './notifications/mail-settings';
import { type DeliveryMode, deliveryModes } from './notifications/verdict';

export class FulfilmentEnvironment extends ServiceEnvironment {
  @Port() FULFILMENT_PORT = 3003;
  @PostgresUrl() FULFILMENT_DATABASE_URL: string;
  /** Its content is the password, which may change at any time. */
  @IsOptional() @IsString() FULFILMENT_DATABASE_PASSWORD_FILE?: string;
  /** The role that owns the tables; only migrations use it. */
  @IsOptional() @PostgresUrl() FULFILMENT_MIGRATION_DATABASE_URL?: string;
  @IsOptional() @IsString() FULFILMENT_MIGRATION_DATABASE_PASSWORD_FILE?: string;
  /** Where the order service is, and the key that it knows. Without them, what was heard waits. */
  @IsOptional() @HttpUrl() ORDER_URL?: string;
  @IsNeighbourKey() NEIGHBOUR_KEY?: string;
  @IsOptional() @IsString() NEIGHBOUR_KEY_FILE?: string;
  /** The mail server. Without it, mails wait. */
  @SmtpUrl() SMTP_URL?: string;
  /** Its content is the password of the mail server. */
  @IsOptional() @IsString() SMTP_PASSWORD_FILE?: string;
  /** Who writes the mails. Their names end with the host in it. */
  @Sender() MAIL_FROM = DEVELOPMENT_FROM;
  /** What is done with a mail of which nobody knows whether the mail server has it. */
  @IsIn(deliveryModes) MAIL_DELIVERY: DeliveryMode = 'at-least-once';
  /** Mails of one process. */
  @Count() MAIL_PER_SECOND = 50;
  /** Where the carrier is, and the key that it has given us. Without them, deliveries wait. */
  @IsOptional() @HttpUrl() CARRIER_URL?: string;
  @ValidateIf(({ CARRIER_URL }: FulfilmentEnvironment) => CARRIER_URL !== undefined)
  @IsString()
  CARRIER_API_KEY: string;
  /** How often a second this replica asks the carrier at most. */
  @Count() CARRIER_PER_SECOND = 50;
  /** How long a delivery that is on its way is left alone before the carrier is asked about it. */
  @Count() CARRIER_CHECK_SECONDS = 3_600;
  /** The carrier signs its events with one of them. Without any, no event is taken. */
  @IsWebhookSecrets() CARRIER_WEBHOOK_SECRETS?: string;
  @IsOptional() @IsString() CARRIER_WEBHOOK_SECRETS_FILE?: string;
}
